/**
 * The embedded broker's transactions are a real broker's: the same script of requests is answered alike, code by code, and
 * leaves the same logs; Java's producers, kafkajs and librdkafka live through the same and leave the same to be read.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run, spawnTethered } from '../../tools/kafka/process.ts';
import { EmbeddedCluster } from '../../src/testing/index.ts';
import { kafkajsTransactions } from './peers/peers.ts';
import { coordinatorsAreUp } from './support/coordinators.ts';
import { runJava } from './support/java.ts';
import { useKafka } from './support/kafka.ts';
import { describeWith, requireTool } from './support/tools.ts';
import { createTopic, endOffsets } from './support/topics.ts';
import { transactionTranscript } from './support/transaction-script.ts';

const testTimeoutMs = 90_000;
const kcatRecords = 100;
// installing kafkajs on a machine that has never done it
const peerTimeoutMs = 300_000;

for (const level of [1, 2] as const) {
  describeWith(['java', 'mvn'], `at transaction.version ${level}`, () => {
    const kafka = useKafka({
      formatFlags: ['--feature', `transaction.version=${level}`],
      properties: { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '200' },
    });
    let cluster: EmbeddedCluster;
    beforeAll(async () => {
      await coordinatorsAreUp(kafka().brokers[0] ?? '');
      cluster = await EmbeddedCluster.start({ transactionVersion: level });
    });
    afterAll(() => cluster?.close());

    /** What happens on both; the lines of the real one, which those of the embedded one must equal. */
    async function alike(
      topics: Readonly<Record<string, number>>,
      live: (brokers: readonly string[]) => Promise<string[]>,
    ): Promise<string[]> {
      const lives = [kafka(), cluster].map(async ({ brokers }) => {
        for (const [name, partitions] of Object.entries(topics)) await createTopic(brokers, name, partitions);
        return live(brokers);
      });
      const [real = [], embedded] = await Promise.all(lives);
      expect(embedded).toEqual(real);
      expect(cluster.problems).toEqual([]);
      return real;
    }

    test('a script of requests is answered alike', { timeout: testTimeoutMs }, async () => {
      const lines = await alike({ t: 2, u: 1 }, ([address = '']) =>
        transactionTranscript({ address, level }),
      );
      expect(lines.length).toBeGreaterThan(280);
      expect(lines).toContain('the old one commits: PRODUCER_FENCED');
    });

    test("Java's producers live through the same", { timeout: testTimeoutMs }, async () => {
      const lines = await alike({ java: 2 }, async (brokers) => {
        const output = await runJava('TransactionScript', [brokers.join(), 'java'], { timeoutMs: 60_000 });
        return output.split('\n').slice(0, -1);
      });
      expect(lines.filter((line) => line.startsWith('committed: '))).toEqual([
        'committed: 1',
        'committed: 1',
        'committed: 3',
        'committed: 3',
      ]);
      expect(lines).toContain('read_committed 0 ends at 19');
      expect(lines).toContain('read_uncommitted 0 ends at 21');
      expect(lines).toContain('the old one aborts: ProducerFencedException');
      expect(lines.filter((line) => /^read_committed .*(dropped|old|undecided)/.test(line))).toEqual([]);
    });

    test('kafkajs lives through the same', { timeout: peerTimeoutMs }, async (context) => {
      requireTool(context, 'kcat');
      const lines = await alike({ kafkajs: 2 }, async (brokers) => [
        ...(await kafkajsTransactions(brokers, 'kafkajs')),
        ...(await readable(brokers, 'kafkajs')),
      ]);
      expect(lines.filter((line) => line.startsWith('committed: '))).toEqual(Array(3).fill('committed: 3'));
      expect(lines).toContain('read_uncommitted 0 3 to abort 0');
      expect(lines.filter((line) => /^read_committed .*(abort|late|the old)/.test(line))).toEqual([]);
    });

    test('librdkafka lives through the same', { timeout: testTimeoutMs }, async (context) => {
      requireTool(context, 'kcat');
      const lines = await alike({ kcat: 1 }, async (brokers) => {
        for (const end of ['commit', 'die', 'commit'] as const) await kcatTransaction(brokers, 'kcat', end);
        return readable(brokers, 'kcat');
      });
      const [committed, all] = ['read_committed', 'read_uncommitted'].map(
        (level) => lines.filter((line) => line.startsWith(level)).length,
      );
      expect(committed).toBe(2 * kcatRecords);
      expect(all).toBeGreaterThan(2 * kcatRecords);
    });
  });
}

describeWith(['java', 'mvn'], 'on three embedded brokers', () => {
  for (const level of [1, 2] as const) {
    const title = `Java's transactions of level ${level} come through moves of leaders and coordinators, and a stop`;
    test(title, { timeout: testTimeoutMs }, async () => {
      const topic = 'mix';
      const topics = [{ name: topic, partitions: 3, replicationFactor: 3 }];
      await using cluster = await EmbeddedCluster.start({ brokers: 3, topics, transactionVersion: level });
      const stopped = new AbortController();
      const moving = moveThings(cluster, topic, stopped.signal);
      const args = [cluster.brokers.join(), topic, '3', '5'];
      const output = await runJava('TransactionMix', args, { timeoutMs: 60_000 });
      stopped.abort();
      expect(await moving).toBeGreaterThan(25);

      const written = new Set<string>();
      let count = 0;
      for (const partition of [0, 1, 2]) {
        const { visible, all } = await committedIn(cluster, topic, partition);
        const shown = linesOf(output, `record ${partition} `);
        expect(shown, `partition ${partition}`).toEqual(visible);
        count += all.length;
        for (const value of all) written.add(value);
      }
      expect([`${count}`]).toEqual(linesOf(output, 'written '));
      expect(written.size, 'records that are in the logs twice').toBe(count);
      expect(cluster.problems).toEqual([]);
    });
  }
});

/** Moves leaders and coordinators about, and once stops a broker for a while; the count of moves. */
async function moveThings(cluster: EmbeddedCluster, topic: string, signal: AbortSignal): Promise<number> {
  let moves = 0;
  const stopAt = 15;
  for (; !signal.aborted; moves++) {
    await delay(25);
    if (moves === stopAt) await cluster.stopBroker(3);
    if (moves === stopAt + 10) await cluster.startBroker(3);
    const nodeId = 1 + (moves % 2);
    if (moves % 2 === 0) cluster.moveLeader(topic, (moves / 2) % 3, nodeId);
    else cluster.moveCoordinator(`tx-${topic}-${moves % 3}`, nodeId, { type: 'transaction', loadingMs: 10 });
  }
  return moves;
}

/** What a reader of committed records must see of a partition, "OFFSET VALUE", and the values of all records. */
async function committedIn(
  cluster: EmbeddedCluster,
  topic: string,
  partition: number,
): Promise<{ visible: string[]; all: string[] }> {
  const open = new Map<bigint, { offset: number; line: string }[]>();
  const visible: { offset: number; line: string }[] = [];
  const all: string[] = [];
  for (const batch of await cluster.batches(topic, partition)) {
    const pending = open.get(batch.producerId) ?? [];
    if (batch.isControl) {
      if (batch.records[0]?.key?.[3] === 1) visible.push(...pending);
      open.delete(batch.producerId);
      continue;
    }
    for (const { offset, value } of batch.records) {
      const text = new TextDecoder().decode(value ?? undefined);
      all.push(text);
      (batch.isTransactional ? pending : visible).push({ offset, line: `${offset} ${text}` });
    }
    if (batch.isTransactional) open.set(batch.producerId, pending);
  }
  const firstOpen = Math.min(...[...open.values()].flat().map(({ offset }) => offset));
  const stable = visible.filter(({ offset }) => offset < firstOpen);
  return { visible: stable.sort((a, b) => a.offset - b.offset).map(({ line }) => line), all };
}

/** The lines that begin with `prefix`, without it. */
function linesOf(output: string, prefix: string): string[] {
  return output.split('\n').flatMap((line) => (line.startsWith(prefix) ? [line.slice(prefix.length)] : []));
}

/** The records of a topic as librdkafka shows them at either isolation level. */
async function readable(brokers: readonly string[], topic: string): Promise<string[]> {
  const lines: string[] = [];
  for (const isolationLevel of ['read_committed', 'read_uncommitted']) {
    const format = String.raw`${isolationLevel} %p %o %s\n`;
    const setting = `isolation.level=${isolationLevel}`;
    const args = ['-C', '-q', '-e', '-b', brokers.join(), '-t', topic, '-f', format, '-X', setting];
    lines.push(
      ...(await run('kcat', args, { timeoutMs: 20_000 })).stdout.split('\n').slice(0, -1).toSorted(),
    );
  }
  return lines;
}

/** Records in a transaction of kcat. It reads its input in blocks, so of an input that does not end it writes all but the
 * last records; what it then leaves open the next one aborts, for both have the same transactional id.
 */
async function kcatTransaction(
  brokers: readonly string[],
  topic: string,
  end: 'commit' | 'die',
): Promise<void> {
  const args = ['-P', '-b', brokers.join(), '-t', topic, '-p', '0', '-X', `transactional.id=${topic}`];
  const input = Array.from({ length: kcatRecords }, (_, i) => `${end} ${i} ${'x'.repeat(100)}\n`).join('');
  if (end === 'commit') return void (await run('kcat', args, { input, timeoutMs: 20_000 }));
  const [before] = await endOffsets(brokers, topic, 1);
  const child = spawnTethered('kcat', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin?.write(input);
  const untilMs = Date.now() + 20_000;
  for (let seen = before, quietMs = 0; quietMs < 500; quietMs += 100) {
    await delay(100);
    const [now] = await endOffsets(brokers, topic, 1);
    if (now === before || now !== seen) quietMs = 0;
    seen = now;
    if (Date.now() > untilMs) throw new Error(`kcat wrote nothing behind ${before}`);
  }
  child.kill('SIGKILL');
}

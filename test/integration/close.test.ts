/**
 * close() of Writers and Readers, in every state they can be in, while the broker is up, gone and standing still: it
 * settles within its deadline, settles every pending call, and leaves no socket (B26 of the known failures of clients).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { KafkaNode } from '../../tools/kafka/node.ts';
import { Client, KafkaError, Reader, Writer } from '../../src/index.ts';
import { encodeSubscription, joinGroupApi, syncGroupApi } from '../../src/protocol/index.ts';
import { useKafka } from './support/kafka.ts';
import { describeWith } from './support/tools.ts';
import { createTopic } from './support/topics.ts';

const closeTimeoutMs = 1000;
// for what is not the client's: two cores, and a broker that comes or goes
const slackMs = 500;
const testTimeoutMs = 60_000;
const topic = 'closing';

/** A client in some state, about to be closed. */
interface Subject {
  readonly state: string;
  readonly client: Writer | Reader;
  /** How its calls that were not settled end. */
  readonly outcomes: Promise<PromiseSettledResult<unknown>[]>;
}

function subject(state: string, client: Writer | Reader, ...pending: Promise<unknown>[]): Subject {
  return { state, client, outcomes: Promise.allSettled(pending) };
}

describeWith(['java', 'mvn'], 'close() settles within its deadline and leaves nothing', () => {
  const kafka = useKafka();

  test.each([
    ['answers', () => undefined, () => undefined],
    ['is killed', (broker: KafkaNode) => broker.kill(), (broker: KafkaNode) => broker.start()],
    ['stands still', (broker: KafkaNode) => broker.pause(), (broker: KafkaNode) => broker.resume()],
  ] as const)('while the broker %s', { timeout: testTimeoutMs }, async (name, strike, heal) => {
    const { brokers } = kafka();
    const broker = kafka().node(1);
    const ownTopic = `${topic}-${name.replaceAll(' ', '-')}`;
    await createTopic(brokers, ownTopic, 2);
    const before = openSockets();
    const early = await subjectsBefore(brokers, ownTopic);
    const warm = new Writer({ brokers, topic: ownTopic });
    await warm.writeMessages({ value: 'before' });
    await strike(broker);
    try {
      const subjects = [...early, ...subjectsAfter(brokers, ownTopic, warm)];
      await delay(200); // the calls of the second kind are under way
      await Promise.all(subjects.map(closed));
      expect(openSockets(), 'sockets').toBe(before);
    } finally {
      await heal(broker);
    }
  });
});

/** Clients whose state was reached while the broker answered. */
async function subjectsBefore(brokers: readonly string[], name: string): Promise<Subject[]> {
  const idleWriter = new Writer({ brokers, topic: name });
  await idleWriter.writeMessages([{ value: 'one' }, { value: 'two' }, { value: 'three' }]);

  const lingering = new Writer({ brokers, topic: name, batchTimeoutMs: 60_000 });
  lingering.enqueue({ value: 'enqueued' });

  const buffered = new Reader({
    brokers,
    partitions: [0, 1].map((partition) => ({ topic: name, partition })),
  });
  await buffered.fetchMessage();

  // the end of the log, in a fetch that the broker holds for a minute
  const polling = new Reader({
    brokers,
    topic: name,
    partition: 0,
    startOffset: 'latest',
    maxWaitMs: 60_000,
  });
  const polled = polling.fetchMessage();
  await until(() => polling.stats().fetches > 0);

  const member = new Reader({ brokers, groupId: `${name}-member`, topic: name });
  const [first] = await Promise.all([member.fetchMessage(), delay(100)]);
  const uncommitted = new Reader({ brokers, groupId: `${name}-loop`, topic: name, commitIntervalMs: 60_000 });
  await uncommitted.commitMessages(await uncommitted.fetchMessage());

  const joiningGroup = `${name}-joining`;
  await joinAsGhost(brokers, joiningGroup, name);
  const joining = new Reader({ brokers, groupId: joiningGroup, topic: name, rebalanceTimeoutMs: 60_000 });
  const waiting = joining.fetchMessage();

  return [
    subject('a Writer that was never used', new Writer({ brokers, topic: name })),
    subject('an idle Writer', idleWriter),
    subject('a Writer with a lingering batch', lingering),
    subject('a Reader that was never used', new Reader({ brokers, topic: name, partition: 0 })),
    subject('a Reader with buffered records', buffered),
    subject('a Reader in a long poll', polling, polled),
    subject('a member that commits', member, member.commitMessages(first)),
    subject('a member with commits to come', uncommitted),
    subject('a member that waits for the group', joining, waiting),
  ];
}

/** Clients that begin something when the broker has been struck. */
function subjectsAfter(brokers: readonly string[], name: string, warm: Writer): Subject[] {
  const writer = new Writer({ brokers, topic: name });
  const reader = new Reader({ brokers, topic: name, partition: 0 });
  const asking = new Reader({ brokers, topic: name, partition: 1 });
  const member = new Reader({ brokers, groupId: `${name}-late`, topic: name });
  const loop = new Reader({ brokers, groupId: `${name}-late-loop`, topic: name });
  return [
    subject('a Writer that writes', warm, warm.writeMessages([{ value: 'one' }, { value: 'two' }])),
    subject('a Writer in its first write', writer, writer.writeMessages({ value: 'first' })),
    subject('a Reader in its first fetch', reader, reader.fetchBatch()),
    subject('a Reader that asks for its lag', asking, asking.readLag()),
    subject('a member that joins', member, member.fetchMessage()),
    subject('a member in a loop', loop, loop[Symbol.asyncIterator]().next()),
  ];
}

/** Closes a client, and checks the time it took and that nothing of it is left pending. */
async function closed({ state, client, outcomes }: Subject): Promise<void> {
  const from = performance.now();
  await client.close({ timeoutMs: closeTimeoutMs });
  expect(performance.now() - from, `milliseconds to close ${state}`).toBeLessThan(closeTimeoutMs + slackMs);
  const settled = await Promise.race([outcomes, delay(slackMs)]);
  if (settled === undefined) expect.fail(`${state}: a call is pending after close()`);
  for (const outcome of settled) {
    if (outcome.status === 'fulfilled') continue;
    expect(outcome.reason, state).toBeInstanceOf(KafkaError);
    if (client instanceof Writer) expect(outcome.reason.stored, state).toMatch(/^(no|maybe)$/);
  }
}

/** A member that joins a group once and never shows up again: whoever joins after it has to wait. */
async function joinAsGhost(brokers: readonly string[], groupId: string, name: string): Promise<void> {
  await using client = new Client({ brokers });
  const metadata = encodeSubscription({ topics: [name], userData: null, ownedPartitions: [] });
  const join = (memberId: string) =>
    client.request(
      joinGroupApi,
      {
        groupId,
        memberId,
        sessionTimeoutMs: 60_000,
        rebalanceTimeoutMs: 60_000,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata }],
      },
      { group: groupId },
    );
  const { memberId } = await join(''); // MEMBER_ID_REQUIRED: the broker hands out an id first
  const { generationId, errorCode } = await join(memberId);
  expect(errorCode).toBe(0);
  const sync = {
    groupId,
    memberId,
    generationId,
    assignments: [],
    protocolType: 'consumer',
    protocolName: 'range',
  };
  await client.request(syncGroupApi, sync, { group: groupId });
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(5);
}

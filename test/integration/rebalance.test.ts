/**
 * Groups of Readers on real Kafka while members come, die and stand still, under load. Members are processes of their own,
 * which append what they read to a history; committed offsets, as the broker tells them, go into the same history. The
 * check is support/group-history.ts: nothing skipped, no two owners in one generation, no commit beyond the position.
 */
import { appendFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Client, Writer } from '../../src/index.ts';
import { offsetFetchApi } from '../../src/protocol/index.ts';
import {
  checkHistory,
  type CommittedEntry,
  type HistoryReport,
  type JoinedLine,
  type MemberOptions,
  type Way,
} from './support/group-history.ts';
import { useKafka } from './support/kafka.ts';
import { bundleProgram, Program } from './support/program.ts';
import { describeWith } from './support/tools.ts';
import { createTopic } from './support/topics.ts';

const partitions = 6;
const sessionTimeoutMs = 2000;
const callRecords = 500;
// about 12,000 records a second
const callEveryMs = 40;
const patienceMs = 30_000;

describeWith(['java', 'mvn'], 'a group', () => {
  const kafka = useKafka();
  let folder = '';
  let program = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kafka-wire-group-'));
    program = await bundleProgram('group-member', folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test(
    'skips nothing when a third member joins and the first is killed during 100,000 records',
    { timeout: 90_000 },
    async () => {
      await using group = await Group.start(kafka().brokers, 'killed', program, folder);
      group.join('a', 'loop');
      group.join('b', 'batch');
      await group.settled(['a', 'b']);
      await group.write(30_000);
      group.join('c', 'loop');
      await group.write(25_000);
      await group.settled(['a', 'b', 'c']);
      await group.write(5000);
      await group.kill('a');
      await group.write(35_000);
      await group.settled(['b', 'c']);
      await group.write(5000);

      const { repeated, readers } = await group.finish(['b', 'c']);
      const generations = [...readers.values()].map((members) => [...members].sort().join(''));
      expect(generations).toEqual(expect.arrayContaining(['ab', 'abc', 'bc']));
      console.log(`${repeated} records were read twice`);
    },
  );

  test('takes no commit of a member that stood still past its session', { timeout: 90_000 }, async () => {
    await using group = await Group.start(kafka().brokers, 'paused', program, folder);
    group.join('a', 'batch');
    group.join('b', 'batch');
    await group.settled(['a', 'b']);
    await group.write(10_000);
    group.member('a').pause();
    await group.write(20_000);
    await group.settled(['b']);
    group.member('a').resume();
    await group.write(10_000);
    await group.settled(['a', 'b']);
    await group.finish(['a', 'b']);
  });
});

/** A group under observation: its members, its load and its history. */
class Group implements AsyncDisposable {
  readonly #client: Client;
  readonly #writer: Writer;
  readonly #options: Omit<MemberOptions, 'member' | 'way'>;
  readonly #program: string;
  readonly #members = new Map<string, Program>();
  readonly #log = Array.from({ length: partitions }, (): string[] => []);
  readonly #committed = Array.from({ length: partitions }, () => 0);
  #records = 0;
  #observing: Promise<void> | undefined;
  #stopped = false;

  private constructor(brokers: readonly string[], name: string, program: string, folder: string) {
    this.#program = program;
    this.#options = {
      brokers,
      groupId: name,
      topic: name,
      sessionTimeoutMs,
      history: join(folder, `${name}.jsonl`),
    };
    this.#client = new Client({ brokers });
    this.#writer = new Writer({ client: this.#client, topic: name });
  }

  static async start(
    brokers: readonly string[],
    name: string,
    program: string,
    folder: string,
  ): Promise<Group> {
    await createTopic(brokers, name, partitions);
    return new Group(brokers, name, program, folder);
  }

  join(member: string, way: Way): void {
    this.#members.set(
      member,
      new Program(this.#program, { ...this.#options, member, way } satisfies MemberOptions),
    );
    this.#observing ??= this.#observe();
  }

  member(name: string): Program {
    const found = this.#members.get(name);
    if (found === undefined) throw new Error(`no member ${name}`);
    return found;
  }

  kill(member: string): Promise<void> {
    return this.member(member).kill();
  }

  /** Waits until exactly these members share the partitions evenly in one generation. */
  async settled(members: readonly string[]): Promise<void> {
    const shares = (): string[] => {
      const joined = members.map(
        (member) => JSON.parse(this.member(member).lines.at(-1) ?? '{}') as Partial<JoinedLine>,
      );
      return joined.map(({ generation, partitions: share }) => `${generation}: ${share}`);
    };
    await this.#until(`${members.join()} share the partitions`, shares, (all) => {
      const [first = ''] = all;
      return first.endsWith(`: ${partitions / members.length}`) && all.every((share) => share === first);
    });
  }

  /** Writes records at a steady pace. */
  async write(records: number): Promise<void> {
    for (let left = records; left > 0; left -= callRecords) {
      const messages = Array.from({ length: callRecords }, () => {
        const number = this.#records++;
        return { key: `key-${number % 1009}`, value: `value-${number}` };
      });
      const [receipt] = await Promise.all([this.#writer.writeMessages(messages), delay(callEveryMs)]);
      for (const [index, { value }] of messages.entries()) {
        const { partition, offset } = receipt.at(index);
        const log = this.#log[partition];
        if (log === undefined || offset === undefined) throw new Error(`no place for ${value}`);
        log[offset] = value;
      }
    }
  }

  /** Waits until everything is committed, lets the members leave, and checks the history. */
  async finish(members: readonly string[]): Promise<HistoryReport> {
    const ends = this.#log.map(({ length }) => length);
    await this.#until(
      'everything is committed',
      () => this.#committed.join(),
      (committed) => committed === ends.join(),
    );
    await Promise.all(members.map((member) => this.member(member).stop()));
    await this.#stopObserving();
    const report = checkHistory(await readFile(this.#options.history, 'utf8'), this.#log);
    expect(report.anomalies).toEqual([]);
    expect(report.read).toEqual(ends);
    expect(report.committed).toEqual(ends);
    return report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stopObserving();
    await Promise.all([...this.#members.values()].map((member) => member.kill()));
    await this.#writer.close();
    await this.#client.close();
  }

  async #stopObserving(): Promise<void> {
    this.#stopped = true;
    await this.#observing;
  }

  /** Appends each committed offset after it was seen. */
  async #observe(): Promise<void> {
    const { groupId, topic, history } = this.#options;
    const topics = [{ name: topic, partitionIndexes: this.#log.map((_, partition) => partition) }];
    while (!this.#stopped) {
      const request = { groupId, topics, requireStable: true };
      const answer = await this.#client.request(offsetFetchApi, request, { group: groupId, maxVersion: 7 });
      for (const { partitionIndex: partition, committedOffset: offset } of answer.topics[0]?.partitions ??
        []) {
        if (offset <= (this.#committed[partition] ?? 0)) continue;
        const entry: CommittedEntry = { kind: 'committed', partition, offset, time: Date.now() };
        appendFileSync(history, `${JSON.stringify(entry)}\n`);
        this.#committed[partition] = offset;
      }
      await delay(50);
    }
  }

  async #until<T>(what: string, look: () => T, holds: (state: T) => boolean): Promise<void> {
    const giveUp = Date.now() + patienceMs;
    for (let state = look(); !holds(state); state = look()) {
      if (Date.now() > giveUp) throw new Error(`not within ${patienceMs} ms: ${what}; now ${String(state)}`);
      await delay(20);
    }
  }
}

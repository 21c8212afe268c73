/**
 * A script of bare requests about transactions, and what one broker answers to each: the same script is run against a
 * real broker and the embedded one, and the transcripts must be the same. Only what takes time on a real broker is
 * waited for. Producer ids are told in the order they appear, for no two brokers give the same.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  describeTransactionsApi,
  errorCode,
  fetchApi,
  joinGroupApi,
  listOffsetsApi,
  offsetCommitApi,
  offsetFetchApi,
  produceApi,
  syncGroupApi,
} from '../../../src/protocol/index.ts';
import type { PartitionData } from '../../../src/protocol/api/01-fetch.ts';
import { nextBatch, type RecordBatch } from '../../../src/protocol/records/batch.ts';
import { readEndMarker } from '../../../src/protocol/records/control.ts';
import { platform } from '../../../src/runtime/node.ts';
import { batchOf, produce } from '../../testing/cluster-world.ts';
import { RawClient } from '../../testing/raw-client.ts';
import { ScriptedProducer } from '../../testing/scripted-producer.ts';
import { patiently, waitMs } from './coordinators.ts';

export const shortTransactionMs = 1_000;
const readCommitted = 1;

/** What the script needs: topics `t` (2 partitions) and `u`, both empty, and transactions of the given level. */
export interface ScriptTarget {
  readonly address: string;
  readonly level: 1 | 2;
}

/** Runs the script; a line for each answer. */
export async function transactionTranscript({ address, level }: ScriptTarget): Promise<string[]> {
  const client = await RawClient.connect(platform, address);
  const other = await RawClient.connect(platform, address);
  try {
    const script = new Script(client, other, level);
    await script.identities();
    await script.partitions();
    await script.writes();
    await script.strays();
    await script.ends();
    await script.fencing();
    await script.offsets();
    await script.members();
    await script.age();
    await script.logs();
    return script.lines;
  } finally {
    client.close();
    other.close();
  }
}

class Script {
  readonly lines: string[] = [];
  readonly #client: RawClient;
  readonly #other: RawClient;
  readonly #level: 1 | 2;
  readonly #producerIds: bigint[] = [];

  constructor(client: RawClient, other: RawClient, level: 1 | 2) {
    this.#client = client;
    this.#other = other;
    this.#level = level;
  }

  /** InitProducerId: epochs, KIP-360, refusals. */
  async identities(): Promise<void> {
    const producer = this.#producer('ids');
    await this.#init(producer, 'first');
    await this.#init(producer, 'again');
    producer.producerEpoch = 0;
    await this.#tell('go on from an epoch that is gone', () => producer.init({ goOn: true }));
    producer.producerEpoch = 1;
    await this.#init(producer, 'go on', { goOn: true });
    producer.producerEpoch = 1;
    await this.#init(producer, 'go on, asked again', { goOn: true });
    producer.producerId += 1_000n;
    await this.#tell('go on as another', () => producer.init({ goOn: true }));
    await this.#tell('the same in version 3', () => producer.init({ goOn: true, version: 3 }));
    for (const timeoutMs of [0, -1, 900_001])
      await this.#tell(`timeout ${timeoutMs}`, () => producer.init({ timeoutMs }));
    await this.#tell('no name', () => this.#producer('').init());
    await this.#tell('half an identity', () => {
      producer.producerEpoch = -1;
      return producer.init({ goOn: true });
    });
  }

  /** AddPartitionsToTxn: all or none, and who may. */
  async partitions(): Promise<void> {
    const producer = this.#producer('adds');
    await this.#tell('add before there is an id', () => producer.add([['t', 0]]));
    await this.#init(producer, 'begin');
    const both = [
      ['t', 0],
      ['none', 0],
    ] as const;
    await this.#tell('add an unknown topic', () => producer.add(both));
    await this.#tell('add an unknown partition', () => producer.add([['t', 7]]));
    await this.#tell('add in version 2', () => producer.add([['t', 0]], 2));
    await this.#tell('add again', () => producer.add([['t', 0]]));
    const { producerId, producerEpoch } = producer;
    for (const version of [1, 3]) {
      producer.producerEpoch = producerEpoch + 1;
      await this.#tell(`add in another epoch, version ${version}`, () => producer.add([['t', 0]], version));
      await this.#tell('end in another epoch', () => producer.end(true, version === 1 ? 1 : undefined));
      producer.producerEpoch = producerEpoch;
      producer.producerId = producerId + 1_000n;
      await this.#tell('add as another', () => producer.add([['t', 0]], version));
      await this.#tell('end as another', () => producer.end(true, version === 1 ? 1 : undefined));
      producer.producerId = producerId;
    }
    await this.#end(producer, 'commit without a record', true);
  }

  /** Produce: verification, sequences, and what a transaction shuts out. */
  async writes(): Promise<void> {
    for (const version of [9, 11, 12]) {
      const producer = this.#producer(`writes-${version}`);
      await this.#init(producer, `begin for Produce ${version}`);
      const write = (what: string, more: { baseSequence?: number; partition?: number } = {}) =>
        this.#tell(what, () => producer.write('t', ['x', 'y'], { version, ...more }));
      await write('write without adding');
      if (version < 12) await this.#tell('add', () => producer.add([['t', 1]]));
      await write('first sequence 3', { partition: 1, baseSequence: 3 });
      await write('first sequence 0', { partition: 1, baseSequence: 0 });
      await write('the same again', { partition: 1, baseSequence: 0 });
      await write('the next but one', { partition: 1, baseSequence: 4 });
      const { producerId, producerEpoch } = producer;
      const plain = batchOf(['p'], { producerId, producerEpoch, baseSequence: 2 });
      const isTransactional = true;
      const nameless = batchOf(['n'], { producerId, producerEpoch, baseSequence: 2, isTransactional });
      await this.#tell('a record outside of the transaction', async () => {
        const { errorCode: code } = await produce(this.#client, 't', plain, { version, partition: 1 });
        return code;
      });
      await this.#tell('no transactional id', async () => {
        const { errorCode: code } = await produce(this.#client, 't', nameless, { version, partition: 1 });
        return code;
      });
      producer.producerEpoch = producerEpoch + 1;
      await write('in a later epoch', { partition: 1, baseSequence: 0 });
      producer.producerEpoch = producerEpoch;
      await this.#ends('while it is open', 1);
      await this.#end(producer, 'abort', false);
      await this.#ends('when it is aborted', 1);
      producer.producerEpoch = producerEpoch;
      await write('write in the epoch that was', { partition: 1, baseSequence: 2 });
      await write('repeat what was written', { partition: 1, baseSequence: 0 });
    }
  }

  /** Requests that mix what does not belong together. */
  async strays(): Promise<void> {
    const [one, two] = [this.#producer('stray-1'), this.#producer('stray-2')];
    await this.#init(one, 'one');
    await this.#init(two, 'two');
    const batch = ({ producerId, producerEpoch }: ScriptedProducer, isTransactional: boolean) =>
      batchOf(['s'], { producerId, producerEpoch, baseSequence: 0, isTransactional });
    const write = (what: string, records: readonly Uint8Array[], transactionalId: string | null) =>
      this.#tell(what, async () => {
        const partitionData = records.map((each, index) => ({ index, records: each }));
        const topicData = [{ name: 't', partitionData }];
        const request = { acks: -1, timeoutMs: 1_000, transactionalId, topicData };
        const answer = await this.#client.call(produceApi, 12, request);
        return answer.responses.flatMap(({ partitionResponses }) =>
          partitionResponses.map(({ errorCode: code }) => code),
        );
      });
    await write('of two producers', [batch(one, true), batch(two, true)], 'stray-1');
    await write('of no name in part', [batch(one, false), batch(one, true)], null);
    await write('outside of transactions', [batch(one, false), batch(two, false)], 'stray-1');
    await write('in the transaction of another', [batch(two, true)], 'stray-1');
    await write('one of two inside', [batch(one, true), batchOf(['s'])], 'stray-1');
    await this.#end(one, 'abort', false);
  }

  /** EndTxn: twice, with another result, with nothing in it. */
  async ends(): Promise<void> {
    for (const isCommit of [true, false]) {
      const producer = this.#producer(`ends-${isCommit}`);
      await this.#init(producer, `begin to ${isCommit ? 'commit' : 'abort'}`);
      await this.#tell('commit nothing', () => producer.commit());
      await this.#end(producer, 'abort nothing', false);
      await this.#open(producer);
      const { producerId, producerEpoch } = producer;
      await this.#end(producer, 'end', isCommit);
      const again = { producerId: producer.producerId, producerEpoch: producer.producerEpoch };
      Object.assign(producer, { producerId, producerEpoch });
      await this.#tell('end again', () => producer.end(isCommit));
      this.#identity('after it', producer);
      Object.assign(producer, { producerId, producerEpoch });
      await this.#tell('end the other way', () => producer.end(!isCommit));
      Object.assign(producer, again);
      await this.#tell('commit the next, with nothing in it', () => producer.commit());
      await this.#end(producer, 'abort the next, with nothing in it', false);
      await this.#end(producer, 'and once more', false);
      producer.producerEpoch -= 2;
      await this.#tell('end in an epoch long gone', () => producer.end(isCommit));
    }
  }

  /** A second producer with the same transactional id. */
  async fencing(): Promise<void> {
    const old = this.#producer('fenced');
    await this.#init(old, 'the old one');
    await this.#open(old);
    await this.#tell('offsets of the old one', async () => {
      const added = this.#level === 1 ? await old.addOffsets('fenced-group') : 0;
      return added === 0 ? old.commitOffset('fenced-group', 't', 3) : added;
    });
    const next = new ScriptedProducer(this.#other, 'fenced', this.#level);
    await this.#tell('the new one comes', () => next.init());
    await this.#init(next, 'and is in');
    await this.#tell('the old one writes', () => old.write('u', ['late']));
    await this.#tell('the old one adds', () => old.add([['u', 0]]));
    await this.#tell('the old one adds offsets', () => old.addOffsets('fenced-group'));
    await this.#tell('the old one commits offsets', () => old.commitOffset('fenced-group', 't', 4));
    await this.#tell('the old one commits', () => old.commit());
    await this.#tell('the old one aborts', () => old.abort());
    await this.#tell('the old one goes on', () => old.init({ goOn: true }));
    await this.#fetched('fenced-group', true);
    await this.#open(next);
    await this.#end(next, 'the new one commits', true);
  }

  /** AddOffsetsToTxn and TxnOffsetCommit: members, stability, what the end does. */
  async offsets(): Promise<void> {
    const producer = this.#producer('offsets');
    await this.#init(producer, 'begin');
    for (const version of [2, 3, 4, 5]) {
      const group = `group-${version}`;
      const commit = (what: string, more: Parameters<ScriptedProducer['commitOffset']>[3] = {}) =>
        this.#tell(`${what}, version ${version}`, () =>
          producer.commitOffset(group, 't', 5, { version, ...more }),
        );
      await commit('offsets without adding');
      if (version < 5) await this.#tell('add offsets', () => producer.addOffsets(group));
      if (version >= 3) {
        await commit('of a generation', { generationIdOrMemberEpoch: 1 });
        await commit('of a member', { memberId: 'm' });
        await commit('of an instance', { groupInstanceId: 'i', memberId: 'm', generationIdOrMemberEpoch: 1 });
      }
      await commit('too much metadata', { committedMetadata: 'x'.repeat(4_097) });
      await commit('offsets');
      await this.#tell('unknown topic', () => producer.commitOffset(group, 'none', 5, { version }));
      await this.#fetched(group, true);
      await this.#fetched(group, false);
      const isCommit = version !== 4;
      await this.#end(producer, isCommit ? 'commit' : 'abort', isCommit);
      await this.#fetched(group, true);
    }
    await this.#tell('no group', () => producer.commitOffset('', 't', 1));
  }

  /** TxnOffsetCommit of a member of a classic group, and beside commits outside of the transaction. */
  async members(): Promise<void> {
    const producer = this.#producer('members');
    const group = 'members';
    await this.#init(producer, 'begin');
    const memberId = await this.#joined(group);
    const commit = (what: string, more: Parameters<ScriptedProducer['commitOffset']>[3] = {}) =>
      this.#tell(what, () => producer.commitOffset(group, 't', 5, { version: 3, ...more }));
    await this.#tell('add offsets', () => producer.addOffsets(group));
    await commit('of nobody');
    await commit('of the member', { memberId, generationIdOrMemberEpoch: 1 });
    await commit('of an older generation', { memberId, generationIdOrMemberEpoch: 0 });
    await commit('of another member', { memberId: 'other', generationIdOrMemberEpoch: 1 });
    await this.#tell('outside of the transaction, later', () => this.#plainCommit(group, 7, memberId, 1));
    await this.#fetched(group, false);
    await this.#end(producer, 'commit', true);
    await this.#fetched(group, true);
    await this.#tell('outside of the transaction, earlier', () => this.#plainCommit(group, 8, memberId, 1));
    await this.#tell('add offsets', () => producer.addOffsets(group));
    await commit('of the member', { memberId, generationIdOrMemberEpoch: 1 });
    await this.#tell('outside of the transaction, by nobody', () => this.#plainCommit(group, 9, '', -1));
    await this.#end(producer, 'commit', true);
    await this.#fetched(group, true);
  }

  /** A transaction that gets too old. */
  async age(): Promise<void> {
    const producer = this.#producer('old');
    await this.#init(producer, 'begin a short one', { timeoutMs: shortTransactionMs });
    await this.#open(producer);
    await this.#settled('old', ['CompleteAbort']);
    await this.#tell('write when it is too old', () => producer.write('u', ['late']));
    await this.#tell('commit when it is too old', () => producer.commit());
    await this.#tell('abort when it is too old', () => producer.abort());
    await this.#init(producer, 'go on after it', { goOn: true });
    await this.#init(producer, 'begin again after it');
    const forgetful = this.#producer('forgetful');
    await this.#init(forgetful, 'begin another short one', { timeoutMs: shortTransactionMs });
    await this.#open(forgetful);
    await this.#settled('forgetful', ['CompleteAbort']);
    await this.#tell('go on from before it', () => forgetful.init({ goOn: true }));
    this.#identity('go on from before it', forgetful);
    await this.#open(forgetful);
  }

  /** What lies in the logs after all this. */
  async logs(): Promise<void> {
    for (const [topic, partition] of [
      ['t', 0],
      ['t', 1],
      ['u', 0],
    ] as const) {
      const aborted = new Set<string>();
      let fetchOffset = 0;
      for (let end = Infinity; fetchOffset < end;) {
        const found = await this.#fetch(topic, partition, fetchOffset);
        end = found.lastStableOffset;
        for (const { producerId, firstOffset } of found.abortedTransactions ?? [])
          aborted.add(`${topic}-${partition} aborted ${this.#nameOf(producerId)} from ${firstOffset}`);
        const bytes = found.records ?? new Uint8Array(0);
        for (let batch = nextBatch(bytes, 0); batch !== undefined; batch = nextBatch(bytes, batch.end)) {
          fetchOffset = batch.lastOffset + 1;
          this.lines.push(`${topic}-${partition} ${this.#described(batch)}`);
        }
      }
      this.lines.push(...aborted);
    }
  }

  /** A broker may answer less than all there is: up to the end of a segment. */
  async #fetch(topic: string, partition: number, fetchOffset: number): Promise<PartitionData> {
    const wanted = { partition, fetchOffset, partitionMaxBytes: 1 << 24 };
    const answer = await this.#client.call(fetchApi, 12, {
      maxWaitMs: 0,
      minBytes: 1,
      isolationLevel: readCommitted,
      topics: [{ topic, partitions: [wanted] }],
    });
    const found = answer.responses[0]?.partitions[0];
    if (found?.errorCode !== 0) throw new Error(`fetch of ${topic}-${partition}: ${found?.errorCode}`);
    return found;
  }

  #described(batch: RecordBatch): string {
    const marker = readEndMarker(batch);
    const kind = marker === undefined ? 'data' : `${marker.type} by coordinator ${marker.coordinatorEpoch}`;
    const { producerId, producerEpoch, baseSequence, attributes } = batch;
    const who = `${this.#nameOf(producerId)} epoch ${producerEpoch} sequence ${baseSequence}`;
    const bytes = `attributes ${attributes}, ${batch.end - batch.start} bytes`;
    return `${batch.baseOffset}-${batch.lastOffset} ${kind} ${who} ${bytes}`;
  }

  #producer(transactionalId: string): ScriptedProducer {
    return new ScriptedProducer(this.#client, transactionalId, this.#level);
  }

  /** Opens a transaction with one record in `u`. */
  async #open(producer: ScriptedProducer): Promise<void> {
    if (this.#level === 1) await this.#tell('add', () => producer.add([['u', 0]]));
    await this.#tell('write', () => producer.write('u', ['x']));
  }

  async #init(
    producer: ScriptedProducer,
    what: string,
    options: Parameters<ScriptedProducer['init']>[0] = {},
  ): Promise<void> {
    await this.#tell(what, () => patiently(() => producer.init(options)));
    this.#identity(what, producer);
  }

  async #end(producer: ScriptedProducer, what: string, isCommit: boolean): Promise<void> {
    await this.#tell(what, () => producer.end(isCommit));
    this.#identity(what, producer);
    await this.#settled(producer.transactionalId, ['CompleteCommit', 'CompleteAbort', 'Empty']);
  }

  /** Waits for one of the states. */
  async #settled(transactionalId: string, states: readonly string[]): Promise<void> {
    const untilMs = Date.now() + waitMs;
    for (;;) {
      const { transactionStates } = await this.#client.call(describeTransactionsApi, 0, {
        transactionalIds: [transactionalId],
      });
      const [found] = transactionStates;
      if (found !== undefined && states.includes(found.transactionState)) {
        const { transactionState, producerEpoch, topics } = found;
        this.lines.push(`  ${transactionState}, epoch ${producerEpoch}, ${topics.length} topics`);
        return;
      }
      if (Date.now() > untilMs) throw new Error(`${transactionalId} stays ${found?.transactionState}`);
      await delay(20);
    }
  }

  /** Makes a group of one member and its first generation; the member's id. */
  async #joined(groupId: string): Promise<string> {
    const protocols = [{ name: 'range', metadata: new Uint8Array(0) }];
    const join = (memberId: string) =>
      this.#other.call(joinGroupApi, 5, {
        groupId,
        sessionTimeoutMs: 20_000,
        rebalanceTimeoutMs: 20_000,
        memberId,
        protocolType: 'consumer',
        protocols,
      });
    const { memberId, errorCode: code } = await join((await join('')).memberId);
    const synced = await this.#other.call(syncGroupApi, 3, {
      groupId,
      generationId: 1,
      memberId,
      assignments: [{ memberId, assignment: new Uint8Array(0) }],
    });
    await this.#tell('join and sync', async () => [code, synced.errorCode]);
    return memberId;
  }

  async #plainCommit(
    groupId: string,
    committedOffset: number,
    memberId: string,
    generation: number,
  ): Promise<number> {
    const answer = await this.#other.call(offsetCommitApi, 7, {
      groupId,
      memberId,
      generationIdOrMemberEpoch: generation,
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: '' }] }],
    });
    return answer.topics[0]?.partitions[0]?.errorCode ?? -1;
  }

  async #tell(what: string, request: () => Promise<number | number[]>): Promise<void> {
    const codes = [await request()].flat();
    this.lines.push(`${what}: ${codes.map((code) => errorCode(code).name).join(' ')}`);
  }

  #identity(what: string, { producerId, producerEpoch }: ScriptedProducer): void {
    this.lines.push(`  ${what}: ${this.#nameOf(producerId)} epoch ${producerEpoch}`);
  }

  #nameOf(producerId: bigint): string {
    if (!this.#producerIds.includes(producerId)) this.#producerIds.push(producerId);
    return `p${this.#producerIds.indexOf(producerId)}`;
  }

  /** Where the partition of `t` ends for either kind of reader. */
  async #ends(when: string, partitionIndex: number): Promise<void> {
    for (const isolationLevel of [0, readCommitted]) {
      const answer = await this.#client.call(listOffsetsApi, 7, {
        replicaId: -1,
        isolationLevel,
        topics: [{ name: 't', partitions: [{ partitionIndex, timestamp: -1 }] }],
      });
      const { offset = -1, errorCode: code = -1 } = answer.topics[0]?.partitions[0] ?? {};
      this.lines.push(`  end for level ${isolationLevel} ${when}: ${offset} ${errorCode(code).name}`);
    }
  }

  async #fetched(groupId: string, requireStable: boolean): Promise<void> {
    const topics = [{ name: 't', partitionIndexes: [0] }];
    const code = async (): Promise<number> => {
      const answer = await this.#client.call(offsetFetchApi, 8, {
        groups: [{ groupId, topics }],
        requireStable,
      });
      const partition = answer.groups[0]?.topics[0]?.partitions[0];
      const { committedOffset = -1, errorCode: found = -1 } = partition ?? {};
      this.lines.push(`  offset of ${groupId}${requireStable ? ', stable' : ''}: ${committedOffset}`);
      return answer.groups[0]?.errorCode === 0 ? found : (answer.groups[0]?.errorCode ?? -1);
    };
    await this.#tell('  fetched', code);
  }
}

/** A transactional producer for tests of the embedded broker: each step is one request, nothing is retried. */
import {
  addOffsetsToTxnApi,
  addPartitionsToTxnApi,
  endTxnApi,
  initProducerIdApi,
  txnOffsetCommitApi,
} from '../../src/protocol/index.ts';
import { batchOf, produce, topicIdOf } from './cluster-world.ts';
import type { RawClient } from './raw-client.ts';

export const transactionTimeoutMs = 60_000;

/** A producer with a transactional id, of transaction.version 1 or 2, which decides the versions of its requests. */
export class ScriptedProducer {
  readonly transactionalId: string;
  readonly client: RawClient;
  readonly level: 1 | 2;
  producerId = -1n;
  producerEpoch = -1;
  /** Of the next record, by topic and partition. */
  readonly sequences = new Map<string, number>();

  constructor(client: RawClient, transactionalId = 'tx', level: 1 | 2 = 2) {
    this.client = client;
    this.transactionalId = transactionalId;
    this.level = level;
  }

  /** Takes an id and an epoch; with `goOn` as KIP-360 has it. The error code. */
  async init({ goOn = false, version = 5, timeoutMs = transactionTimeoutMs } = {}): Promise<number> {
    const own = goOn ? { producerId: this.producerId, producerEpoch: this.producerEpoch } : {};
    const { transactionalId } = this;
    const request = { transactionalId, transactionTimeoutMs: timeoutMs, ...own };
    const answer = await this.client.call(initProducerIdApi, version, request);
    if (answer.errorCode === 0) this.#take(answer);
    return answer.errorCode;
  }

  /** The error codes of the partitions. */
  async add(
    partitions: readonly (readonly [topic: string, partition: number])[],
    version = 3,
  ): Promise<number[]> {
    const answer = await this.client.call(addPartitionsToTxnApi, version, {
      v3AndBelowTransactionalId: this.transactionalId,
      v3AndBelowProducerId: this.producerId,
      v3AndBelowProducerEpoch: this.producerEpoch,
      v3AndBelowTopics: partitions.map(([name, partition]) => ({ name, partitions: [partition] })),
    });
    return answer.resultsByTopicV3AndBelow.flatMap(({ resultsByPartition }) =>
      resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode),
    );
  }

  /** Writes records with the next sequences, which move on when they are stored; the error code. */
  async write(
    topic: string,
    values: readonly string[],
    { partition = 0, version = this.level === 2 ? 12 : 11, baseSequence = this.next(topic, partition) } = {},
  ): Promise<number> {
    const { producerId, producerEpoch, transactionalId } = this;
    const batch = batchOf(values, { producerId, producerEpoch, baseSequence, isTransactional: true });
    const { errorCode } = await produce(this.client, topic, batch, { version, partition, transactionalId });
    if (errorCode === 0) this.sequences.set(`${topic}-${partition}`, baseSequence + values.length);
    return errorCode;
  }

  next(topic: string, partition = 0): number {
    return this.sequences.get(`${topic}-${partition}`) ?? 0;
  }

  /** The error code; from version 5 on the answer's id and epoch are taken over. */
  async end(committed: boolean, version = this.level === 2 ? 5 : 4): Promise<number> {
    const { transactionalId, producerId, producerEpoch } = this;
    const request = { transactionalId, producerId, producerEpoch, committed };
    const answer = await this.client.call(endTxnApi, version, request);
    if (answer.errorCode === 0 && version >= 5) this.#take(answer);
    return answer.errorCode;
  }

  commit(): Promise<number> {
    return this.end(true);
  }

  abort(): Promise<number> {
    return this.end(false);
  }

  async addOffsets(groupId: string): Promise<number> {
    const { transactionalId, producerId, producerEpoch } = this;
    const request = { transactionalId, producerId, producerEpoch, groupId };
    return (await this.client.call(addOffsetsToTxnApi, 3, request)).errorCode;
  }

  /** Commits an offset of partition 0 of a topic; the error code. */
  async commitOffset(
    groupId: string,
    topic: string,
    committedOffset: number,
    more: {
      readonly version?: number;
      readonly memberId?: string;
      readonly generationIdOrMemberEpoch?: number;
      readonly groupInstanceId?: string | null;
      readonly committedMetadata?: string;
    } = {},
  ): Promise<number> {
    const { version = this.level === 2 ? 5 : 4, committedMetadata = '', ...member } = more;
    const { transactionalId, producerId, producerEpoch } = this;
    const topicId = version >= 6 ? { topicId: await topicIdOf(this.client, topic) } : { name: topic };
    const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata }];
    const topics = [{ ...topicId, partitions }];
    const request = { transactionalId, producerId, producerEpoch, groupId, topics, ...member };
    const answer = await this.client.call(txnOffsetCommitApi, version, request);
    return answer.topics[0]?.partitions[0]?.errorCode ?? -1;
  }

  /** A new epoch begins at sequence 0 everywhere. */
  #take({ producerId, producerEpoch }: { producerId: bigint; producerEpoch: number }): void {
    if (producerId !== this.producerId || producerEpoch !== this.producerEpoch) this.sequences.clear();
    this.producerId = producerId;
    this.producerEpoch = producerEpoch;
  }
}

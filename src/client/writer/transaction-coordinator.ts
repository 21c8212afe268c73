/** The requests of a transaction to its coordinator, and to that of the group whose offsets it commits.
 * Not here: which are sent when (transactional-producer.ts), what an error means (transaction-errors.ts).
 * Invariant: each is repeated until a coordinator answered it for good, the deadline passed, or it was stopped; one that
 * may still arrive later is remembered in `unsure`.
 * Source: KIP-98, KIP-360, KIP-447, KIP-890.
 */
import { ConnectionError, KafkaError, TimeoutError } from '../../errors.ts';
import { initProducerIdApi } from '../../protocol/api/22-init-producer-id.ts';
import { addPartitionsToTxnApi } from '../../protocol/api/24-add-partitions-to-txn.ts';
import { addOffsetsToTxnApi } from '../../protocol/api/25-add-offsets-to-txn.ts';
import { endTxnApi } from '../../protocol/api/26-end-txn.ts';
import { txnOffsetCommitApi, type TxnOffsetCommitRequest } from '../../protocol/api/28-txn-offset-commit.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Api, Input } from '../../protocol/schema.ts';
import {
  byTopic,
  Coordinators,
  repeat,
  retryAction,
  type Cluster,
  type CoordinatorType,
  type GroupMetadata,
  type RequestBody,
  type TopicPartition,
} from '../cluster/index.ts';
import type { ProducerIdentity } from './producer-id.ts';
import { coordinatorError } from './transaction-errors.ts';

/** Where a group that a transaction reads for is to go on. */
export interface OffsetToSend extends TopicPartition {
  /** Of the next record to read. */
  readonly offset: number;
  /** Leader epoch of the last record that was read (KIP-320). Default: unknown. */
  readonly leaderEpoch?: number | undefined;
  /** Kept with the offset by the broker. Default: empty. */
  readonly metadata?: string | undefined;
}

/** What it needs of a cluster. */
export type TransactionCluster = Pick<
  Cluster,
  'platform' | 'logger' | 'requestTimeoutMs' | 'send' | 'learnAddress' | 'featureLevel'
>;

/** An error code, and where it was met. */
interface Code {
  readonly errorCode: number;
  readonly topic?: string;
  readonly partition?: number;
}

/** One request. */
interface Question<Req, Res> {
  /** To this group's coordinator. Default: to the transaction's. */
  readonly groupId?: string;
  readonly api: Api<Req, Res>;
  readonly body: RequestBody<Req>;
  readonly maxVersion?: number | undefined;
  codes(answer: Res): readonly Code[];
  /** Keeps it from being asked again. */
  readonly stop?: AbortSignal;
}

/** Milliseconds for what only a coordinator can do. Kafka: `max.block.ms`. */
const patienceMs = 60_000;

/** Milliseconds until the same is asked again first: markers of the transaction before are soon written. */
const firstWaitMs = 20;

/** Highest versions before transaction.version 2; above, a broker adds what is written by itself. */
const oldVersions = { txnOffsetCommit: 4, endTxn: 4 };
/** Highest versions that name topics (v6 has ids), and that clients may use at all (v4 is for brokers; v6 not yet stable). */
const newestVersions = { txnOffsetCommit: 5, addPartitionsToTxn: 3, initProducerId: 5 };

/** The coordinators of one transactional id. */
export class TransactionCoordinator {
  readonly #cluster: TransactionCluster;
  readonly #id: string;
  readonly #timeoutMs: number;
  readonly #life: AbortSignal;
  readonly #coordinators: Coordinators;
  #unanswered = 0;
  #lost = false;

  /** `life` ends every call at once, with its reason. */
  constructor(cluster: TransactionCluster, transactionalId: string, timeoutMs: number, life: AbortSignal) {
    this.#cluster = cluster;
    this.#id = transactionalId;
    this.#timeoutMs = timeoutMs;
    this.#life = life;
    this.#coordinators = new Coordinators(cluster);
  }

  /** A request has no answer: it may take effect later. */
  get unsure(): boolean {
    return this.#lost || this.#unanswered > 0;
  }

  /** Forgets the requests that had no answer. */
  forget(): void {
    this.#lost = false;
  }

  /** The identity to go on with. Without `former` every other producer of the id is fenced; with it, this one may be. */
  async init(former: ProducerIdentity | undefined): Promise<ProducerIdentity> {
    const transaction = { transactionalId: this.#id, transactionTimeoutMs: this.#timeoutMs };
    const { producerId, producerEpoch: epoch } = await this.#ask({
      api: initProducerIdApi,
      body: (version) =>
        version < 3 || former === undefined
          ? transaction
          : { ...transaction, producerId: former.producerId, producerEpoch: former.epoch },
      maxVersion: newestVersions.initProducerId,
      codes: atTheTop,
    });
    return { producerId, epoch };
  }

  /** Adds partitions to the transaction. `stop` keeps it from being asked again. */
  addPartitions(
    { producerId, epoch }: ProducerIdentity,
    partitions: Iterable<TopicPartition>,
    stop: AbortSignal,
  ): Promise<unknown> {
    return this.#ask({
      api: addPartitionsToTxnApi,
      body: {
        v3AndBelowTransactionalId: this.#id,
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: epoch,
        v3AndBelowTopics: byTopic(partitions, ({ partition }) => partition),
      },
      maxVersion: newestVersions.addPartitionsToTxn,
      codes: ({ resultsByTopicV3AndBelow }) =>
        resultsByTopicV3AndBelow.flatMap(({ name: topic, resultsByPartition }) =>
          resultsByPartition.map(({ partitionIndex: partition, partitionErrorCode: errorCode }) => ({
            errorCode,
            topic,
            partition,
          })),
        ),
      stop,
    });
  }

  /** Adds the offsets of a group to the transaction. */
  addOffsets(
    { producerId, epoch: producerEpoch }: ProducerIdentity,
    groupId: string,
    stop: AbortSignal,
  ): Promise<unknown> {
    const body = { transactionalId: this.#id, producerId, producerEpoch, groupId };
    return this.#ask({ api: addOffsetsToTxnApi, body, codes: atTheTop, stop });
  }

  /** Has offsets committed with the transaction, if the group still counts the member (KIP-447). */
  commitOffsets(
    { producerId, epoch: producerEpoch }: ProducerIdentity,
    { groupId, memberId, generationId: generationIdOrMemberEpoch, groupInstanceId }: GroupMetadata,
    offsets: readonly OffsetToSend[],
    adds: boolean,
    stop: AbortSignal,
  ): Promise<unknown> {
    const topics = byTopic(offsets, ({ partition, offset, leaderEpoch = -1, metadata = '' }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch,
      committedMetadata: metadata,
    }));
    const commit = { transactionalId: this.#id, groupId, producerId, producerEpoch, topics };
    return this.#ask({
      groupId,
      api: txnOffsetCommitApi,
      body: (version): Input<TxnOffsetCommitRequest> =>
        version < 3 ? commit : { ...commit, memberId, generationIdOrMemberEpoch, groupInstanceId },
      maxVersion: (adds ? newestVersions : oldVersions).txnOffsetCommit,
      codes: (answer) =>
        answer.topics.flatMap(({ name: topic, partitions }) =>
          partitions.map(({ partitionIndex: partition, errorCode }) => ({ errorCode, topic, partition })),
        ),
      stop,
    });
  }

  /** Commits or aborts. `bumps`: returns the identity of the next transaction. */
  async end(
    { producerId, epoch: producerEpoch }: ProducerIdentity,
    committed: boolean,
    bumps: boolean,
  ): Promise<ProducerIdentity | undefined> {
    const answer = await this.#ask({
      api: endTxnApi,
      body: { transactionalId: this.#id, producerId, producerEpoch, committed },
      maxVersion: bumps ? undefined : oldVersions.endTxn,
      codes: atTheTop,
    });
    if (!bumps || answer.producerId < 0n) return undefined;
    return { producerId: answer.producerId, epoch: answer.producerEpoch };
  }

  /** Asks until there is an answer without an error that heals. */
  #ask<Req, Res>({ groupId, api, body, maxVersion, codes, stop }: Question<Req, Res>): Promise<Res> {
    const { platform, requestTimeoutMs } = this.#cluster;
    const signal = this.#life;
    const deadlineMs = platform.monotonicNow() + patienceMs;
    const what = `${api.name} of transaction ${this.#id}`;
    const to: readonly [CoordinatorType, string] =
      groupId === undefined ? ['transaction', this.#id] : ['group', groupId];
    const patience = { deadlineMs, signal, firstWaitMs };
    return repeat(platform, `${what} did not succeed`, patience, async () => {
      if (stop?.aborted) throw stop.reason;
      const nodeId = await this.#coordinators.find(...to, { deadlineMs, signal });
      const timeoutMs = Math.min(requestTimeoutMs, Math.max(1, deadlineMs - platform.monotonicNow()));
      let answer: Res;
      this.#unanswered++;
      try {
        answer = await this.#cluster.send(nodeId, 'control', api, body, { timeoutMs, maxVersion, signal });
      } catch (error) {
        this.#lost ||= !(error instanceof KafkaError) || error.stored !== 'no';
        if (error instanceof ConnectionError || error instanceof TimeoutError)
          this.#coordinators.forget(...to, nodeId);
        throw error;
      } finally {
        this.#unanswered--;
      }
      const failures = codes(answer).filter(({ errorCode }) => errorCode !== 0);
      // What does not heal decides, and says more than that others failed.
      const failure = failures.find(({ errorCode }) => isFinal(errorCode)) ?? failures[0];
      if (failure === undefined) return answer;
      const { errorCode, topic, partition } = failure;
      if (retryAction(errorCode) === 'find-coordinator') this.#coordinators.forget(...to, nodeId);
      throw coordinatorError(errorCode, what, topic, partition);
    });
  }
}

function atTheTop(answer: Code): readonly Code[] {
  return [answer];
}

function isFinal(errorCode: number): boolean {
  return retryAction(errorCode) === 'fail' && errorCode !== ErrorCodes.OPERATION_NOT_ATTEMPTED;
}

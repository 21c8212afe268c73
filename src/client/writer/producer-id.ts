/** The producer id and epoch that new sequences are counted under (KIP-98), and how they change (KIP-360, W7).
 * Not here: when a partition goes over to another identity (partition-queue.ts).
 * Invariant: an identity that was left is never current again.
 */
import type { KafkaError } from '../../errors.ts';
import { initProducerIdApi } from '../../protocol/api/22-init-producer-id.ts';
import { anyBroker, Backoff, brokerError, type Cluster, type TopicPartition } from '../cluster/index.ts';
import type { Alarm } from './alarm.ts';
import { withStored } from './errors.ts';

/** What a broker counts sequences under. */
export interface ProducerIdentity {
  readonly producerId: bigint;
  /** 0 to 32767. */
  readonly epoch: number;
}

/** What gives the batches of a Writer their identity: a `ProducerId`, or that of its transactions. */
export interface Producer {
  /** What new sequences are counted under; undefined while there is none. */
  readonly current: ProducerIdentity | undefined;
  /** Sees to it that there will be one. */
  request(): void;
  /** Some partition cannot go on under `identity`. */
  leave(identity: ProducerIdentity | undefined): void;
  /** Undefined: no transactions. */
  readonly gate?: TransactionGate;
}

/** What holds for the batches of a transactional Writer. */
export interface TransactionGate {
  readonly transactionalId: string;
  /** Highest version of Produce to send them with; undefined: any. */
  maxProduceVersion(): number | undefined;
  /** Whether the open transaction has the partition; if not, it is added, and the Writer is woken. */
  ready(partition: TopicPartition): boolean;
  /** A batch has failed, and with it the transaction. */
  failed(cause: KafkaError): void;
}

const lastEpoch = 32_767;

/** Asks any broker for an identity when one is needed, and raises the epoch by itself. */
export class ProducerId implements Producer {
  /** Undefined before the first answer, and while a new id is asked for. */
  current: ProducerIdentity | undefined;
  readonly #cluster: Pick<Cluster, 'platform' | 'logger' | 'send'>;
  readonly #alarm: Alarm;
  readonly #onAnswer: (refusal: KafkaError | undefined) => void;
  readonly #backoff: Backoff;
  /** No question before; Infinity while one is on its way. */
  #askAtMs = 0;

  /** `onAnswer` is told about a new identity, or that there cannot be one. */
  constructor(
    cluster: Pick<Cluster, 'platform' | 'logger' | 'send'>,
    alarm: Alarm,
    onAnswer: (refusal: KafkaError | undefined) => void,
  ) {
    this.#cluster = cluster;
    this.#alarm = alarm;
    this.#onAnswer = onAnswer;
    this.#backoff = new Backoff(cluster.platform);
  }

  /** Asks for an identity, unless there is one, or it is being asked for, or the last attempt was just now. */
  request(): void {
    if (this.current !== undefined) return;
    if (this.#cluster.platform.monotonicNow() < this.#askAtMs) this.#alarm.arm(this.#askAtMs);
    else void this.#ask();
  }

  /** Some partition cannot go on under `identity`: the next epoch, or past 32767 a new id (KIP-360). */
  leave(identity: ProducerIdentity | undefined): void {
    if (identity === undefined || this.current !== identity) return;
    const { producerId, epoch } = identity;
    this.current = epoch < lastEpoch ? { producerId, epoch: epoch + 1 } : undefined;
    this.#cluster.logger.info?.('producer epoch raised', {
      producerId: String(producerId),
      epoch: epoch + 1,
    });
  }

  async #ask(): Promise<void> {
    this.#askAtMs = Infinity;
    let refusal: KafkaError | undefined;
    try {
      const body = { transactionalId: null, transactionTimeoutMs: 2 ** 31 - 1 };
      const answer = await this.#cluster.send(anyBroker, 'control', initProducerIdApi, body);
      if (answer.errorCode !== 0) throw brokerError(answer.errorCode, 'InitProducerId', { stored: 'no' });
      this.current = { producerId: answer.producerId, epoch: answer.producerEpoch };
      this.#backoff.reset();
    } catch (error) {
      refusal = withStored(error, 'no');
    }
    this.#askAtMs = 0;
    if (refusal?.retriable !== true) return this.#onAnswer(refusal);
    this.#cluster.logger.warn?.('no producer id yet', { reason: refusal.message });
    this.#askAtMs = this.#cluster.platform.monotonicNow() + this.#backoff.next();
    this.#alarm.arm(this.#askAtMs);
  }
}

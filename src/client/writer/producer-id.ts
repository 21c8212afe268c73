/** The producer id and epoch that new sequences are counted under (KIP-98), and how they change (KIP-360, W7).
 * Not here: when a partition goes over to another identity (partition-queue.ts).
 * Invariant: an identity that was left is never current again.
 */
import { KafkaError } from '../../errors.ts';
import { initProducerIdApi } from '../../protocol/api/22-init-producer-id.ts';
import { anyBroker, Backoff, brokerError, type Cluster } from '../cluster/index.ts';
import type { Alarm } from './alarm.ts';

/** What a broker counts sequences under. */
export interface ProducerIdentity {
  readonly producerId: bigint;
  /** 0 to 32767. */
  readonly epoch: number;
}

/** Who is told about a new identity, or that there cannot be one. */
export interface ProducerIdListener {
  identityReady(): void;
  identityRefused(error: KafkaError): void;
}

const lastEpoch = 32_767;

/** Asks any broker for an identity when one is needed, and raises the epoch by itself. */
export class ProducerId {
  /** Undefined before the first answer, and while a new id is asked for. */
  current: ProducerIdentity | undefined;
  readonly #cluster: Pick<Cluster, 'platform' | 'logger' | 'send'>;
  readonly #alarm: Alarm;
  readonly #listener: ProducerIdListener;
  readonly #backoff: Backoff;
  #asking = false;
  #retryAtMs = 0;

  constructor(
    cluster: Pick<Cluster, 'platform' | 'logger' | 'send'>,
    alarm: Alarm,
    listener: ProducerIdListener,
  ) {
    this.#cluster = cluster;
    this.#alarm = alarm;
    this.#listener = listener;
    this.#backoff = new Backoff(cluster.platform);
  }

  /** Asks for an identity, unless there is one, or it is being asked for, or the last attempt was just now. */
  request(): void {
    if (this.current !== undefined || this.#asking) return;
    if (this.#cluster.platform.monotonicNow() < this.#retryAtMs) this.#alarm.arm(this.#retryAtMs);
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
    this.#asking = true;
    let refused: KafkaError | undefined;
    try {
      const body = { transactionalId: null, transactionTimeoutMs: 2 ** 31 - 1 };
      const answer = await this.#cluster.send(anyBroker, 'control', initProducerIdApi, body);
      if (answer.errorCode !== 0) throw brokerError(answer.errorCode, 'InitProducerId', { stored: 'no' });
      this.current = { producerId: answer.producerId, epoch: answer.producerEpoch };
      this.#backoff.reset();
    } catch (error) {
      refused =
        error instanceof KafkaError ? error : new KafkaError(String(error), { code: 'BROKER', cause: error });
    }
    this.#asking = false;
    if (refused === undefined) return this.#listener.identityReady();
    if (!refused.retriable) return this.#listener.identityRefused(refused);
    this.#cluster.logger.warn?.('no producer id yet', { reason: refused.message });
    this.#retryAtMs = this.#cluster.platform.monotonicNow() + this.#backoff.next();
    this.#alarm.arm(this.#retryAtMs);
  }
}

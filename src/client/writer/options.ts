/** The Writer's own options, their defaults, and the combinations that are refused.
 * Not here: how to reach the cluster (client/cluster/options.ts).
 * Invariant: a conflict is refused by the names of both options, never resolved in silence.
 */
import type { Codec } from '../../compression/codec.ts';
import { UsageError, type KafkaError } from '../../errors.ts';
import {
  functionOption,
  integerOption,
  maxTimerMs,
  optionError,
  refuseUnknownOptions,
  booleanOption,
  sharedOptionNames,
  stringOption,
  type SharedOptions,
} from '../cluster/index.ts';
import { balancerOf, type Balancer, type BalancerFunction } from './balancer/balancer.ts';
import { murmur2 } from './balancer/murmur2.ts';
import type { OutgoingMessage } from './message.ts';

/** What became of the messages of one batch; see `WriterSettings.completion`. */
export interface BatchOutcome {
  readonly topic: string;
  /** -1 when the messages failed before they had a partition. */
  readonly partition: number;
  /** In the order of their offsets, `context` included. */
  readonly messages: readonly OutgoingMessage[];
  /** Offset of the first message; undefined after a failure, with `requiredAcks: 0`, and when the broker knows only
   * that it has the batch (DUPLICATE_SEQUENCE_NUMBER). */
  readonly baseOffset: number | undefined;
  /** Milliseconds since 1970 where the topic's log gives its own timestamps; undefined where the messages' own hold, and
   * where there is no offset. */
  readonly appendTimeMs: number | undefined;
  /** null when the messages were written; otherwise `error.stored` says whether they may be in the log. */
  readonly error: KafkaError | null;
  /** By index in `messages`: what the broker says of the messages for which it refused the batch, where it says that
   * (Produce v8 on, KIP-467). `error` is then that of the others. */
  readonly recordErrors: ReadonlyMap<number, KafkaError> | undefined;
}

/** How a Writer writes. */
export interface WriterSettings {
  /** Topic of every message. Default: each message names its own. */
  readonly topic?: string | undefined;
  /** Chooses the partition. Default `murmur2({ unkeyed: sticky() })`, as Java. Kafka: `partitioner.class`. */
  readonly balancer?: Balancer | BalancerFunction | undefined;
  /** Replicas that must have a batch before it counts as written: all in sync, the leader, or nobody is asked.
   * Default `'all'`. Kafka: `acks`. */
  readonly requiredAcks?: 0 | 1 | 'all' | undefined;
  /** Compresses each batch, unless that makes it no smaller. Default: none. Kafka: `compression.type`. */
  readonly compression?: Codec | undefined;
  /** Whether retries can neither double nor reorder records (KIP-98). Default: true with `requiredAcks: 'all'`, else
   * false; true with fewer acks is refused. Kafka: `enable.idempotence`. */
  readonly idempotent?: boolean | undefined;
  /** Most records in a batch, 1 to 1,000,000, default 10,000. */
  readonly batchSize?: number | undefined;
  /** Most bytes in a batch before compression, 100 to 2^30, default 1,000,000; a message that does not fit is refused.
   * Kafka: `max.request.size`, against the topic's `max.message.bytes`. */
  readonly batchBytes?: number | undefined;
  /** Milliseconds that a batch waits for company, 0 to 2147483647, default 10. A batch that `writeMessages` began does
   * not wait while its partition has nothing in flight. Kafka: `linger.ms`. */
  readonly batchTimeoutMs?: number | undefined;
  /** Bytes of records that may wait or be on their way, 1 KiB to 2^40, default 32 MiB. A larger call is let in piece by
   * piece. Of their memory up to a quarter of this is kept for others, until nothing is on its way for a while.
   * Kafka: `buffer.memory`. */
  readonly maxBufferedBytes?: number | undefined;
  /** What happens to messages for which `maxBufferedBytes` leaves no room: they wait for it, in order, until
   * `deliveryTimeoutMs`; or the call fails at once and as a whole, with code `BUFFER_FULL`, which `enqueue` throws.
   * Default `'wait'`. Kafka: `max.block.ms`, of which 0 is `'fail'`. */
  readonly whenFull?: 'wait' | 'fail' | undefined;
  /** Milliseconds from the call until a record has failed at the latest, 1 to 2147483647, default 120,000; above
   * `batchTimeoutMs`. In transactions below `transactionTimeoutMs`, and by default 1 less where that is shorter.
   * Kafka: `delivery.timeout.ms` (KIP-91), with `max.block.ms` inside it. */
  readonly deliveryTimeoutMs?: number | undefined;
  /** Milliseconds before a batch is sent again, give or take 20 %; twice as many each time it fails. 1 to 2147483647,
   * default 100. kafka-go: `WriteBackoffMin`; Kafka: `retry.backoff.ms` (KIP-580). */
  readonly retryBackoffMs?: number | undefined;
  /** The most it comes to, at least `retryBackoffMs`, default 1,000 or that. kafka-go: `WriteBackoffMax`; Kafka:
   * `retry.backoff.max.ms`. */
  readonly retryBackoffMaxMs?: number | undefined;
  /** Name under which this Writer's transactions are kept, at most one Writer at a time: a second one takes it over and
   * fences the first. Needs acks of all and idempotence. Default: none, no transactions. Kafka: `transactional.id`. */
  readonly transactionalId?: string | undefined;
  /** Milliseconds after which the coordinator aborts a transaction, and fences its Writer; 1 to 2147483647, at most the
   * broker's `transaction.max.timeout.ms` of 15 minutes, default 60,000. Kafka: `transaction.timeout.ms`. */
  readonly transactionTimeoutMs?: number | undefined;
  /** Called once per batch, in order per partition, before the calls that wait for it go on. What it throws is logged.
   * kafka-go: `Completion`. */
  readonly completion?: ((outcome: BatchOutcome) => void) | undefined;
}

/** What `new Writer` takes. */
export type WriterOptions = SharedOptions & WriterSettings;

/** `WriterSettings` with every default filled in, by the same names. */
export interface ResolvedSettings {
  readonly topic: string | undefined;
  readonly balancer: Balancer;
  readonly requiredAcks: 0 | 1 | 'all';
  readonly compression: Codec | undefined;
  readonly idempotent: boolean;
  readonly batchSize: number;
  readonly batchBytes: number;
  readonly batchTimeoutMs: number;
  readonly maxBufferedBytes: number;
  readonly whenFull: 'wait' | 'fail';
  readonly deliveryTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
  readonly transactionalId: string | undefined;
  readonly transactionTimeoutMs: number;
  readonly completion: ((outcome: BatchOutcome) => void) | undefined;
}

function resolveBalancer(balancer: Balancer | BalancerFunction | undefined): Balancer {
  if (balancer === undefined) return murmur2();
  if (typeof balancer === 'function' || typeof balancer?.partition === 'function')
    return balancerOf(balancer);
  throw optionError('balancer', 'a function or have a method partition', balancer);
}

function resolveCompression(codec: Codec | undefined): Codec | undefined {
  if (codec === undefined) return undefined;
  if (typeof codec?.compress !== 'function' || !Number.isInteger(codec.id))
    throw optionError('compression', 'a Codec, such as gzip', codec);
  if (codec.cannotCompress !== undefined)
    throw new UsageError(`Option compression: ${codec.cannotCompress}`, { code: 'UNSUPPORTED_VERSION' });
  return codec;
}

/** What a transactional Writer cannot be. */
function checkTransactions(given: WriterSettings, settings: ResolvedSettings): void {
  const { transactionalId, transactionTimeoutMs, deliveryTimeoutMs, requiredAcks, idempotent } = settings;
  if (transactionalId === undefined) {
    if (given.transactionTimeoutMs === undefined) return;
    throw new UsageError('Option transactionTimeoutMs needs transactionalId');
  }
  if (requiredAcks !== 'all')
    throw new UsageError(`Option transactionalId needs requiredAcks: 'all'; got ${requiredAcks}`);
  if (!idempotent) throw new UsageError('Options transactionalId and idempotent: false exclude each other');
  if (deliveryTimeoutMs >= transactionTimeoutMs)
    throw new UsageError(
      `Option deliveryTimeoutMs (${deliveryTimeoutMs}) must be below transactionTimeoutMs (${transactionTimeoutMs}): a write must end before its transaction`,
    );
}

/** Checks the settings and fills in the defaults. Throws a `UsageError` that names a wrong option. */
export function resolveSettings(options: WriterOptions): ResolvedSettings {
  // A copy, since what is no object is refused below, with the names that are none of these.
  const given: WriterSettings = { ...options };
  const integer = (
    name: keyof WriterSettings,
    fallback: number,
    min: number,
    max: number = maxTimerMs,
  ): number => integerOption(name, given[name], fallback, min, max);
  const { topic, requiredAcks = 'all', whenFull = 'wait', completion } = given;
  const transactionalId =
    given.transactionalId === undefined ? undefined : stringOption('transactionalId', given.transactionalId);
  const transactionTimeoutMs = integer('transactionTimeoutMs', 60_000, 1);
  const longestMs = transactionalId === undefined ? Infinity : transactionTimeoutMs - 1;
  const retryBackoffMs = integer('retryBackoffMs', 100, 1);
  const settings: ResolvedSettings = {
    topic: topic === undefined ? undefined : stringOption('topic', topic),
    balancer: resolveBalancer(given.balancer),
    requiredAcks,
    compression: resolveCompression(given.compression),
    idempotent: booleanOption('idempotent', given.idempotent, requiredAcks === 'all'),
    batchSize: integer('batchSize', 10_000, 1, 1_000_000),
    batchBytes: integer('batchBytes', 1_000_000, 100, 2 ** 30),
    batchTimeoutMs: integer('batchTimeoutMs', 10, 0),
    maxBufferedBytes: integer('maxBufferedBytes', 32 * 2 ** 20, 1024, 2 ** 40),
    whenFull,
    deliveryTimeoutMs: integer('deliveryTimeoutMs', Math.min(120_000, longestMs), 1),
    retryBackoffMs,
    retryBackoffMaxMs: integer('retryBackoffMaxMs', Math.max(1000, retryBackoffMs), retryBackoffMs),
    transactionalId,
    transactionTimeoutMs,
    completion: completion === undefined ? undefined : functionOption('completion', completion, completion),
  };
  refuseUnknownOptions('Writer', options, [...sharedOptionNames(), ...Object.keys(settings)]);
  const { idempotent, batchTimeoutMs, deliveryTimeoutMs } = settings;
  if (requiredAcks !== 'all' && requiredAcks !== 0 && requiredAcks !== 1)
    throw optionError('requiredAcks', "0, 1 or 'all'", requiredAcks);
  if (whenFull !== 'wait' && whenFull !== 'fail') throw optionError('whenFull', "'wait' or 'fail'", whenFull);
  checkTransactions(given, settings);
  if (idempotent && requiredAcks !== 'all')
    throw new UsageError(`Option idempotent: true needs requiredAcks: 'all'; got ${requiredAcks}`);
  if (deliveryTimeoutMs <= batchTimeoutMs)
    throw new UsageError(
      `Option deliveryTimeoutMs (${deliveryTimeoutMs}) must be above batchTimeoutMs (${batchTimeoutMs}): no batch would be sent`,
    );
  return settings;
}

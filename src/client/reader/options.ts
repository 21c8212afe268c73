/** The options of a Reader, their defaults, and what excludes what.
 * Invariant: a wrong or misspelt option throws a UsageError that names it before anything else happens.
 */
import type { Codec } from '../../compression/codec.ts';
import { UsageError } from '../../errors.ts';
import {
  booleanOption,
  integerOption,
  maxTimerMs,
  optionError,
  refuseUnknownOptions,
  sharedOptionNames,
  stringOption,
  type SharedOptions,
  type TopicPartition,
} from '../cluster/index.ts';
import { resetTimestamp, type FetchOptions, type StartOffset } from '../fetch/index.ts';
import type { Assignor } from '../group/index.ts';

/** How to read, whatever is read. */
export interface ReadingOptions {
  /** Where to begin without a committed offset or an `offset`: `'earliest'`, `'latest'`, an offset, or the first record
   * at or after a Date. Also where to go on when the offset is out of range (an offset: then at the earliest).
   * Default `'earliest'`. Kafka: `auto.offset.reset`. */
  readonly startOffset?: StartOffset | undefined;
  /** `'read_committed'` hides records of aborted and undecided transactions. Default `'read_committed'`.
   * Kafka: `isolation.level`. */
  readonly isolationLevel?: 'read_committed' | 'read_uncommitted' | undefined;
  /** Bytes that a broker gathers before it answers, for at most `maxWaitMs`; 1 to `maxBytes`, default 1.
   * Kafka: `fetch.min.bytes`. */
  readonly minBytes?: number | undefined;
  /** Bytes of one answer, 1 to 1 GiB, default 16 MiB; a single larger batch comes all the same.
   * Kafka: `fetch.max.bytes`. */
  readonly maxBytes?: number | undefined;
  /** Bytes of one partition in one answer, 1 to 1 GiB, default 1 MiB; a single larger batch comes all the same.
   * Kafka: `max.partition.fetch.bytes`. */
  readonly maxPartitionBytes?: number | undefined;
  /** Milliseconds that a broker waits for `minBytes`, 0-2147483647, default 500. Kafka: `fetch.max.wait.ms`. */
  readonly maxWaitMs?: number | undefined;
  /** Bytes buffered over all partitions, inflated batches included; at least 1, default 64 MiB. */
  readonly maxBufferedBytes?: number | undefined;
  /** Bytes that one compressed batch may inflate to, 1 to 1 GiB, default 64 MiB. */
  readonly maxInflatedBytes?: number | undefined;
  /** Whether every batch's checksum is verified. Default true. Kafka: `check.crcs`. */
  readonly checkCrcs?: boolean | undefined;
  /** Codecs besides gzip, snappy, lz4 and zstd, or in place of one of them. */
  readonly codecs?: readonly Codec[] | undefined;
}

/** One partition without a group. */
export interface PartitionReaderOptions {
  readonly topic: string;
  readonly partition: number;
  /** Where to begin; before `startOffset`. */
  readonly offset?: number | undefined;
}

/** Several partitions without a group. */
export interface PartitionsReaderOptions {
  /** `offset`: where to begin; before `startOffset`. */
  readonly partitions: readonly (TopicPartition & { readonly offset?: number | undefined })[];
}

/** A member of a consumer group, which shares the partitions out. */
export interface GroupReaderOptions {
  /** Kafka: `group.id`. */
  readonly groupId: string;
  readonly topic?: string | undefined;
  readonly topics?: readonly string[] | undefined;
  /** Milliseconds between commits, 0-2147483647; 0 commits each time. Default 1,000 for `for await`, 0 for
   * `commitMessages` and `readMessage`. Kafka: `auto.commit.interval.ms`. */
  readonly commitIntervalMs?: number | undefined;
  /** `'manual'`: `for await` does not commit. Default `'auto'`. Kafka: `enable.auto.commit`. */
  readonly commits?: 'auto' | 'manual' | undefined;
  /** Default 45,000. Kafka: `session.timeout.ms`. */
  readonly sessionTimeoutMs?: number | undefined;
  /** Default 3,000. Kafka: `heartbeat.interval.ms`. */
  readonly heartbeatIntervalMs?: number | undefined;
  /** Default 60,000. Kafka: `max.poll.interval.ms`. */
  readonly rebalanceTimeoutMs?: number | undefined;
  /** In the order of preference. Default: range. Kafka: `partition.assignment.strategy`. */
  readonly assignors?: readonly Assignor[] | undefined;
}

/** What a Reader takes. */
export type ReaderOptions = SharedOptions &
  ReadingOptions &
  (PartitionReaderOptions | PartitionsReaderOptions | GroupReaderOptions);

/** A partition and where to begin; undefined: at `startOffset`. */
export interface ManualPartition extends TopicPartition {
  readonly offset: number | undefined;
}

/** Options of a group's member, checked; the group session checks its own. */
export interface GroupOptions extends Pick<
  GroupReaderOptions,
  'groupId' | 'sessionTimeoutMs' | 'heartbeatIntervalMs' | 'rebalanceTimeoutMs' | 'assignors'
> {
  readonly topics: readonly string[];
  /** Of `for await`; undefined: it does not commit. */
  readonly loopIntervalMs: number | undefined;
  /** Of `commitMessages`. */
  readonly callIntervalMs: number;
}

/** Options with every default filled in. */
export interface ResolvedReaderOptions {
  readonly startOffset: StartOffset;
  /** Without the built-in codecs, which need the platform. */
  readonly fetch: FetchOptions;
  readonly group: GroupOptions | undefined;
  /** Empty with a group. */
  readonly partitions: readonly ManualPartition[];
}

const readingNames =
  'startOffset isolationLevel minBytes maxBytes maxPartitionBytes maxWaitMs maxBufferedBytes maxInflatedBytes ' +
  'checkCrcs codecs topic';
const manualNames = 'partition offset partitions';
const groupNames =
  'groupId topics commitIntervalMs commits sessionTimeoutMs heartbeatIntervalMs rebalanceTimeoutMs assignors';
const maxBytesOfAnything = 2 ** 30;

/** All options of all kinds, each as it may be. */
type AnyOptions = ReadingOptions &
  Partial<PartitionReaderOptions> &
  Partial<PartitionsReaderOptions> &
  Partial<GroupReaderOptions>;

/** Checks the options and fills in the defaults; does no I/O. Throws a `UsageError` that names a wrong option. */
export function resolveReaderOptions(options: ReaderOptions): ResolvedReaderOptions {
  const names = `${readingNames} ${manualNames} ${groupNames}`.split(' ');
  refuseUnknownOptions('Reader', options, [...sharedOptionNames(), ...names]);
  const any = options as AnyOptions;
  const startOffset = startOffsetOption(any.startOffset);
  const isGroup = any.groupId !== undefined;
  for (const name of (isGroup ? manualNames : groupNames).split(' ')) {
    if (any[name as keyof AnyOptions] === undefined) continue;
    throw new UsageError(
      isGroup ? `Options groupId and ${name} exclude each other` : `Option ${name} needs groupId`,
    );
  }
  return {
    startOffset,
    fetch: fetchOptions(any, startOffset),
    group: isGroup ? groupOptions(any) : undefined,
    partitions: isGroup ? [] : manualPartitions(any),
  };
}

function startOffsetOption(value: unknown): StartOffset {
  if (value === undefined || value === 'earliest') return 'earliest';
  if (value === 'latest' || isOffset(value)) return value;
  if (value instanceof Date && value.getTime() >= 0) return value;
  throw optionError('startOffset', "'earliest', 'latest', an offset or a Date since 1970", value);
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function fetchOptions(options: ReadingOptions, startOffset: StartOffset): FetchOptions {
  const bytes = (name: keyof ReadingOptions, fallback: number, max = maxBytesOfAnything): number =>
    integerOption(name, options[name], fallback, 1, max);
  const { isolationLevel = 'read_committed', codecs = [] } = options;
  if (isolationLevel !== 'read_committed' && isolationLevel !== 'read_uncommitted') {
    throw optionError('isolationLevel', "'read_committed' or 'read_uncommitted'", isolationLevel);
  }
  if (
    !Array.isArray(codecs) ||
    codecs.some((codec: Partial<Codec> | null) => typeof codec?.decompress !== 'function')
  ) {
    throw optionError('codecs', 'an array of codecs', codecs);
  }
  const maxBytes = bytes('maxBytes', 16 * 2 ** 20);
  return {
    isolationLevel: isolationLevel === 'read_committed' ? 1 : 0,
    minBytes: bytes('minBytes', 1, maxBytes),
    maxBytes,
    maxPartitionBytes: bytes('maxPartitionBytes', 2 ** 20),
    maxWaitMs: integerOption('maxWaitMs', options.maxWaitMs, 500, 0, maxTimerMs),
    maxBufferedBytes: bytes('maxBufferedBytes', 64 * 2 ** 20, Number.MAX_SAFE_INTEGER),
    maxInflatedBytes: bytes('maxInflatedBytes', 64 * 2 ** 20),
    checkCrcs: booleanOption('checkCrcs', options.checkCrcs, true),
    codecs,
    resetTimestamp: resetTimestamp(startOffset),
  };
}

function groupOptions(options: AnyOptions): GroupOptions {
  const { groupId, topic, topics, commits = 'auto', commitIntervalMs } = options;
  const { sessionTimeoutMs, heartbeatIntervalMs, rebalanceTimeoutMs, assignors } = options;
  if (topic !== undefined && topics !== undefined)
    throw new UsageError('Options topic and topics exclude each other');
  const names = topic === undefined ? topics : [topic];
  if (!Array.isArray(names) || names.length === 0)
    throw optionError('topics', 'an array of topic names', names);
  if (commits !== 'auto' && commits !== 'manual') throw optionError('commits', "'auto' or 'manual'", commits);
  const intervalMs = (fallback: number): number =>
    integerOption('commitIntervalMs', commitIntervalMs, fallback, 0, maxTimerMs);
  return {
    groupId: stringOption('groupId', groupId),
    topics: names.map((name: unknown) => stringOption('topics', name)),
    loopIntervalMs: commits === 'auto' ? intervalMs(1000) : undefined,
    callIntervalMs: intervalMs(0),
    sessionTimeoutMs,
    heartbeatIntervalMs,
    rebalanceTimeoutMs,
    assignors,
  };
}

function manualPartitions({ topic, partition, offset, partitions }: AnyOptions): readonly ManualPartition[] {
  const isSeveral = partitions !== undefined;
  if (isSeveral && (topic ?? partition ?? offset) !== undefined) {
    throw new UsageError('Options partitions and topic, partition or offset exclude each other');
  }
  if (isSeveral && (!Array.isArray(partitions) || partitions.length === 0)) {
    throw optionError('partitions', 'an array of at least one { topic, partition }', partitions);
  }
  const seen = new Set<string>();
  return (partitions ?? [{ topic, partition, offset }]).map((each) => {
    const path = isSeveral ? 'partitions[].' : '';
    if (!isSeveral && each.topic !== undefined && each.partition === undefined) {
      throw new UsageError(
        'A Reader needs a groupId or a partition: with topic alone it is not said what to read',
      );
    }
    const name = stringOption(`${path}topic`, each.topic);
    const number = integerOption(`${path}partition`, each.partition ?? -1, -1, 0, 2 ** 31 - 1);
    if (each.offset !== undefined && !isOffset(each.offset)) {
      throw optionError(`${path}offset`, 'an integer from 0 to 2^53-1', each.offset);
    }
    const key = `${number} ${name}`;
    if (seen.has(key)) throw new UsageError(`Option partitions names ${name}[${number}] twice`);
    seen.add(key);
    return { topic: name, partition: number, offset: each.offset };
  });
}

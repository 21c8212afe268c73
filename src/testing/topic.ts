/** Topics and partitions: names, settings, who leads, and the log that all replicas share.
 * Not here: which topics there are and which nodes live (cluster-state.ts).
 * Invariant: `leaderEpoch` rises with every change of the leader, and whoever watches a partition is told.
 * Source: Kafka's Topic and LogConfig.
 */
import { PartitionLog } from './partition-log.ts';
import type { Watched } from './wait.ts';

/** The settings of a topic that the broker honours. */
export interface TopicSettings {
  /** `max.message.bytes`: largest batch, 1,048,588. */
  readonly maxMessageBytes: number;
  /** `message.timestamp.type` is `LogAppendTime`: the broker stamps the records. */
  readonly logAppendTime: boolean;
  /** `message.timestamp.after.max.ms`: how far ahead of the broker's clock a record may be, 3,600,000 ms. */
  readonly timestampAfterMaxMs: number;
  /** `cleanup.policy` contains `compact`: records need keys. Nothing is compacted. */
  readonly compacted: boolean;
  /** `min.insync.replicas`: live replicas that acks=all wants, 1. */
  readonly minInsyncReplicas: number;
}

function integer(config: ReadonlyMap<string, string>, name: string, fallback: number): number {
  const text = config.get(name);
  if (text === undefined) return fallback;
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}

/** Reads the settings; undefined when one of them is not what Kafka accepts. Unknown names are kept, not checked. */
export function topicSettings(config: ReadonlyMap<string, string>): TopicSettings | undefined {
  const timestampType = config.get('message.timestamp.type') ?? 'CreateTime';
  const policies = (config.get('cleanup.policy') ?? 'delete').split(',').map((policy) => policy.trim());
  const settings: TopicSettings = {
    maxMessageBytes: integer(config, 'max.message.bytes', 1_048_588),
    logAppendTime: timestampType === 'LogAppendTime',
    timestampAfterMaxMs: integer(config, 'message.timestamp.after.max.ms', 3_600_000),
    compacted: policies.includes('compact'),
    minInsyncReplicas: integer(config, 'min.insync.replicas', 1),
  };
  const valid =
    (settings.logAppendTime || timestampType === 'CreateTime') &&
    policies.every((policy) => policy === 'delete' || policy === 'compact') &&
    settings.minInsyncReplicas >= 1;
  const numbers = [settings.maxMessageBytes, settings.timestampAfterMaxMs];
  return valid && !numbers.some(Number.isNaN) ? settings : undefined;
}

/** Whether Kafka accepts the name: 1 to 249 of letters, digits, `.`, `_` and `-`, but neither `.` nor `..`. */
export function isValidTopicName(name: string): boolean {
  return /^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..';
}

/** Whether the topic is one of Kafka's own. */
export function isInternalTopic(name: string): boolean {
  return name === '__consumer_offsets' || name === '__transaction_state' || name === '__share_group_state';
}

/** One partition. */
export class Partition implements Watched {
  readonly index: number;
  /** Node ids, the preferred leader first. */
  replicas: readonly number[];
  /** Node id, -1 while no replica lives. */
  leader: number;
  leaderEpoch = 0;
  readonly log: PartitionLog = new PartitionLog();
  readonly watchers: Set<() => void> = new Set();

  constructor(index: number, replicas: readonly number[], leader: number) {
    this.index = index;
    this.replicas = replicas;
    this.leader = leader;
  }

  /** Makes `nodeId` the leader of a new epoch (-1: nobody). */
  lead(nodeId: number): void {
    this.leader = nodeId;
    this.leaderEpoch++;
    this.notify();
  }

  /** Wakes whoever waits for records or for a change of leadership. */
  notify(): void {
    // A copy: who is woken may begin to watch again.
    for (const watcher of Array.from(this.watchers)) watcher();
  }
}

/** One topic. */
export interface Topic {
  readonly name: string;
  /** 22 characters. */
  readonly topicId: string;
  readonly config: ReadonlyMap<string, string>;
  readonly settings: TopicSettings;
  readonly partitions: readonly Partition[];
}

/** Messages on their way to their partitions, as long as they cannot go straight into batches: those of a call of
 * `writeMessages`, or of `enqueue` while it waits for metadata or room.
 * Not here: when they go on (admission.ts).
 * Invariant: the messages from `next` on are in no batch; before `balanced` none is.
 */
import type { KafkaError } from '../../errors.ts';
import type { Spread, WriteCall } from './call.ts';
import type { OutgoingMessage } from './message.ts';
import type { PartitionQueue } from './partition-queue.ts';

/** Who waits for a plan to be carried out. */
export type PlanListener = (refusal: KafkaError | null) => void;

/** A plan. `Topic` is what admission knows of a topic, which in turn knows the plans in its line. */
export class Plan<Topic> implements Spread {
  /** Undefined for messages of `enqueue`: their outcome is nobody's to wait for. */
  readonly call: WriteCall | undefined;
  messages: readonly OutgoingMessage[];
  /** Most bytes that the messages take in batches. */
  byteBound: number;
  readonly timestampMs: number;
  /** On `platform.monotonicNow()`. */
  readonly deadlineMs: number;
  topics: readonly Topic[] = [];
  /** Every message has a partition. */
  balanced = false;
  readonly queues: PartitionQueue[] = [];
  slots: Int32Array | undefined;
  timestamps: Float64Array | undefined;
  next = 0;
  refusal: KafkaError | null = null;
  /** Bytes by which waiting messages of `enqueue` count as buffered. */
  stagedBytes = 0;
  /** Told once, when the last message is in a batch or none will be any more. */
  listeners: PlanListener[] | undefined;
  /** The Writer's topic, if it has one. */
  readonly #topic: string | undefined;

  constructor(
    call: WriteCall | undefined,
    topic: string | undefined,
    messages: readonly OutgoingMessage[],
    byteBound: number,
    timestampMs: number,
    deadlineMs: number,
  ) {
    this.call = call;
    this.#topic = topic;
    this.messages = messages;
    this.byteBound = byteBound;
    this.timestampMs = timestampMs;
    this.deadlineMs = deadlineMs;
    if (call !== undefined) call.spread = this;
  }

  destination(index: number): { readonly topic: string; readonly partition: number } {
    const queue = this.balanced ? this.queues[this.slots?.[index] ?? 0] : undefined;
    return queue ?? { topic: this.#topic ?? this.messages[index]?.topic ?? '', partition: -1 };
  }

  /** One more message for an `enqueue` that waits. */
  push(message: OutgoingMessage, byteBound: number): void {
    (this.messages as OutgoingMessage[]).push(message);
    this.byteBound += byteBound;
  }
}

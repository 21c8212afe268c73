/** Which messages get into batches next: their topics are known, they are first in the lines, there is room.
 * Not here: encoding and memory (accumulator.ts).
 * Invariants: messages enter a topic in call order, whatever each call had to wait for (P3); a call is balanced as a
 * whole before its first append (W1); the whole waits under the call's deadline (W9).
 */
import { KafkaError, TimeoutError, UsageError } from '../../errors.ts';
import { closedError, sleep } from '../cluster/index.ts';
import type { Accumulator, WriterContext } from './accumulator.ts';
import type { WriteCall } from './call.ts';
import { withStored } from './errors.ts';
import { copyMessage, KeyBytes, messageByteBound, type OutgoingMessage } from './message.ts';
import type { PartitionQueue, QueueOptions } from './partition-queue.ts';
import type { Plan } from './plan.ts';
import { Topic } from './topic.ts';

/** Milliseconds for which a broker's "unknown topic" is doubted: one that was just created takes a moment to be known. */
const unknownTopicDoubtMs = 500;

/** Milliseconds until metadata that failed for now is asked for again. */
const loadRetryMs = 100;

/** What a waiting message of `enqueue` counts for besides its bytes: it is an object of its own until it is in a batch. */
const stagedMessageBytes = 256;

/** A plan for topics as they are here. */
export type TopicPlan = Plan<Topic>;

/** Lets messages in. */
export class Admission {
  readonly #context: WriterContext;
  readonly #accumulator: Accumulator;
  readonly #queueOptions: QueueOptions;
  readonly #topics = new Map<string, Topic>();
  readonly #waiting = new Set<TopicPlan>();
  /** Plans that only want for room, in their order. */
  readonly #roomLine: TopicPlan[] = [];
  /** Topics whose first in line may go on. */
  readonly #freed: Topic[] = [];
  readonly #keys = new KeyBytes();
  readonly #lifetime = new AbortController();
  #running = false;

  constructor(context: WriterContext, accumulator: Accumulator, queueOptions: QueueOptions) {
    this.#context = context;
    this.#accumulator = accumulator;
    this.#queueOptions = queueOptions;
    accumulator.onRoom = () => this.#run();
  }

  /** Plans that are not carried out yet. */
  get waiting(): ReadonlySet<TopicPlan> {
    return this.#waiting;
  }

  /** The topics of the Writer, for news of their leaders. */
  get topics(): Iterable<Topic> {
    return this.#topics.values();
  }

  /** Puts a single message straight into its batch; false when it has to wait for something. Throws what a balancer
   * deserves. */
  enter(message: OutgoingMessage, byteBound: number): boolean {
    const { settings, cluster } = this.#context;
    const topic = this.#topic(message.topic ?? settings.topic ?? '');
    if (!topic.loaded || topic.line.length > 0) return false;
    if (this.#roomLine.length > 0 || !this.#accumulator.hasRoom(byteBound)) return false;
    const queue = this.#queueFor(topic, message, 0);
    const timestampMs = message.timestamp ?? Math.floor(cluster.platform.now());
    this.#accumulator.append(queue, message, timestampMs, undefined, undefined, 0);
    this.#accumulator.expect(1);
    return true;
  }

  /** Carries a plan out as far as that is possible now; what is left waits in line. */
  enterPlan(plan: TopicPlan): void {
    this.#accumulator.expect(plan.messages.length);
    const { topic: writerTopic } = this.#context.settings;
    if (writerTopic !== undefined) plan.topics = this.#topic(writerTopic).alone;
    else plan.topics = [...new Set(plan.messages.map(({ topic }) => this.#topic(topic ?? '')))];
    if (this.#roomLine.length === 0 && plan.topics.every(({ loaded, line }) => loaded && line.length === 0)) {
      this.#balance(plan);
      if (!plan.balanced || this.#append(plan)) return;
      this.#roomLine.push(plan);
    }
    this.#waiting.add(plan);
    for (const topic of plan.topics) topic.line.push(plan);
    // The caller's array and, for an enqueue that was taken, its bytes are the caller's again.
    plan.messages = plan.messages.map((message) =>
      plan.call === undefined ? copyMessage(message, plan.timestampMs) : message,
    );
    this.#context.alarm.arm(plan.deadlineMs);
    this.#freed.push(...plan.topics);
    this.#run();
  }

  /** Adds a message to the enqueue that waits last in its topic's line; its plan, or undefined if there is none. */
  join(message: OutgoingMessage, byteBound: number): TopicPlan | undefined {
    const { line } = this.#topic(message.topic ?? this.#context.settings.topic ?? '');
    const last = line[line.length - 1];
    if (last === undefined || last.call !== undefined || last.balanced || last.topics.length > 1)
      return undefined;
    this.#accumulator.expect(1);
    last.push(copyMessage(message, Math.floor(this.#context.cluster.platform.now())), byteBound);
    return last;
  }

  /** Counts a waiting message of `enqueue` as buffered; false when there is no room for that. */
  stage(plan: TopicPlan, byteBound: number): boolean {
    const bytes = byteBound + stagedMessageBytes;
    if (this.#roomLine.length > 0 || !this.#accumulator.hasRoom(bytes)) return false;
    plan.stagedBytes += bytes;
    this.#accumulator.bufferedBytes += bytes;
    return true;
  }

  /** The caller gave up: what was not sent is taken back (W5), for the rest nobody waits any more. */
  giveUp(call: WriteCall, plan: TopicPlan, cause: unknown): void {
    const error = (stored: 'no' | 'maybe'): KafkaError =>
      new KafkaError('The write was aborted by its signal', { code: 'ABORTED', stored, cause });
    const [withdrawn, unknown] = [error('no'), error('maybe')];
    this.refuse(plan, withdrawn);
    for (let segment = call.first; segment !== undefined; segment = segment.next) {
      const { batch, count } = segment;
      if (batch.settled) continue;
      const taken = this.#accumulator.withdraw(segment);
      segment.error = taken ? withdrawn : unknown;
      if (!taken) batch.forget(segment);
      call.recordsSettled(count, true);
    }
  }

  /** What of a plan is in no batch will not get into one. */
  refuse(plan: TopicPlan, error: KafkaError): void {
    const { call, messages, next } = plan;
    const count = messages.length - next;
    if (plan.refusal !== null || count <= 0) return;
    plan.refusal = error;
    this.#context.stats.window.errors += count;
    this.#accumulator.done(count);
    if (call !== undefined) call.refuse(count, () => error);
    else if (this.#waiting.has(plan)) this.#tellLost(plan, messages.slice(next), error);
    if (plan.balanced) plan.messages = [];
    this.#leave(plan);
  }

  /** Refuses plans whose deadline has passed; the moment at which the next may. */
  tick(nowMs: number): number {
    let nextMs = Infinity;
    const limitMs = this.#context.settings.deliveryTimeoutMs;
    for (const plan of this.#waiting) {
      // A look-up ends by the deadline of the first that waits for it, and knows why it failed.
      if (plan.topics.some(({ loading }) => loading)) continue;
      if (plan.deadlineMs > nowMs) nextMs = Math.min(nextMs, plan.deadlineMs);
      else {
        const text = `The write found no room in maxBufferedBytes within deliveryTimeoutMs, ${limitMs} ms`;
        this.refuse(plan, new TimeoutError(text, { limitMs, stored: 'no' }));
      }
    }
    return nextMs;
  }

  /** Refuses what waits and lets go of the topics. */
  close(): void {
    const closed = closedError('The writer', 'no');
    this.#lifetime.abort(closed);
    for (const plan of this.#waiting) this.refuse(plan, closed);
    for (const topic of this.#topics.values()) topic.release();
  }

  /** Lets in what can be let in. A loop, since each plan that leaves may free the next ones. */
  #run(): void {
    if (this.#running) return;
    this.#running = true;
    for (;;) {
      const first = this.#freed.shift()?.line[0];
      if (first !== undefined) this.#advance(first);
      if (this.#freed.length > 0) continue;
      const plan = this.#roomLine[0];
      if (plan === undefined || !this.#append(plan)) break;
      this.#leave(plan);
    }
    this.#running = false;
    const pressed = this.#roomLine.length > 0;
    if (pressed && !this.#accumulator.pressed) this.#accumulator.press();
    this.#accumulator.pressed = pressed;
  }

  /** Goes as far with the first plan in a line as is possible now. */
  #advance(plan: TopicPlan): void {
    if (plan.balanced || plan.topics.some((topic) => topic.line[0] !== plan)) return;
    const startedMs = plan.deadlineMs - this.#context.settings.deliveryTimeoutMs;
    for (const topic of plan.topics) {
      if (topic.loaded) continue;
      const { failure } = topic;
      // The plan was in line when the look-up failed: the answer is as fresh for it as its own would be.
      if (failure !== undefined && failure.atMs >= startedMs) this.refuse(plan, failure.error);
      else if (!topic.loading) void this.#load(topic, plan.deadlineMs);
      return;
    }
    this.#balance(plan);
    if (!plan.balanced) return;
    this.#accumulator.bufferedBytes -= plan.stagedBytes;
    plan.stagedBytes = 0;
    this.#roomLine.push(plan);
  }

  async #load(topic: Topic, deadlineMs: number): Promise<void> {
    const { cluster } = this.#context;
    const options = { deadlineMs, doubtMs: unknownTopicDoubtMs, signal: this.#lifetime.signal };
    topic.loading = true;
    try {
      topic.update(await cluster.topic(topic.topic, options));
    } catch (error) {
      const failure = withStored(error, 'no');
      const nowMs = cluster.platform.monotonicNow();
      if (failure.code === 'UNKNOWN_TOPIC' || !failure.retriable)
        topic.failure = { error: failure, atMs: nowMs };
      else {
        topic.failure = this.#outOfTime(topic, failure, nowMs);
        if (nowMs < deadlineMs) await sleep(cluster.platform, loadRetryMs);
      }
    }
    topic.loading = false;
    this.#freed.push(topic);
    this.#run();
    this.#forgetIfUnused(topic);
  }

  /** Metadata that failed for now answers only the plans whose own time is over. */
  #outOfTime(topic: Topic, failure: KafkaError, nowMs: number): Topic['failure'] {
    const limitMs = this.#context.settings.deliveryTimeoutMs;
    const { message } = failure.cause instanceof Error ? failure.cause : failure;
    const text = `No metadata of ${topic.topic} within deliveryTimeoutMs, ${limitMs} ms; the last attempt: ${message}`;
    return {
      error: new TimeoutError(text, { limitMs, stored: 'no', cause: failure }),
      atMs: nowMs - limitMs,
    };
  }

  /** Chooses every message's partition; on a fault nothing of the plan is appended (W1). */
  #balance(plan: TopicPlan): void {
    const { messages } = plan;
    const { length } = messages;
    if (length > 1) plan.slots = new Int32Array(length);
    let topic = plan.topics[0] as Topic;
    try {
      for (let index = 0; index < length; index++) {
        const message = messages[index] as OutgoingMessage;
        if (message.topic !== undefined && message.topic !== topic.topic) topic = this.#topic(message.topic);
        const queue = this.#queueFor(topic, message, index);
        if (queue.slot < 0) queue.slot = plan.queues.push(queue) - 1;
        queue.callBytes += topic.recordBytes;
        if (plan.slots !== undefined) plan.slots[index] = queue.slot;
        if (message.timestamp !== undefined) {
          plan.timestamps ??= new Float64Array(length).fill(Number.NaN);
          plan.timestamps[index] = message.timestamp;
        }
      }
      plan.balanced = true;
    } catch (error) {
      this.refuse(plan, withStored(error, 'no'));
    } finally {
      for (const queue of plan.queues) {
        queue.slot = -1;
        queue.callBytes = 0;
      }
    }
  }

  /** The message's partition: its own choice, else the balancer's. */
  #queueFor(topic: Topic, message: OutgoingMessage, index: number): PartitionQueue {
    topic.recordBytes = messageByteBound(message);
    const { balancer } = this.#context.settings;
    const chosen = message.partition ?? balancer.partition(message, this.#keys.of(message.key), topic);
    const queue = Number.isInteger(chosen) ? topic.queues[chosen] : undefined;
    if (queue !== undefined) return queue;
    const who = message.partition === undefined ? 'the balancer chose' : 'it asks for';
    throw new UsageError(
      `Message ${index}: ${who} partition ${String(chosen)}; ${topic.topic} has 0 to ${topic.queues.length - 1}`,
      { stored: 'no' },
    );
  }

  /** Appends a plan's messages while there is room; true when none is left. */
  #append(plan: TopicPlan): boolean {
    const accumulator = this.#accumulator;
    const { messages, slots, call, queues, timestampMs, deadlineMs } = plan;
    const { length } = messages;
    const roomForAll = accumulator.bufferedBytes + plan.byteBound <= this.#context.settings.maxBufferedBytes;
    try {
      for (let index = plan.next; index < length; index++) {
        const message = messages[index] as OutgoingMessage;
        if (!roomForAll && !accumulator.hasRoom(messageByteBound(message))) return false;
        const slot = slots === undefined ? 0 : (slots[index] as number);
        const queue = queues[slot] as PartitionQueue;
        accumulator.append(queue, message, message.timestamp ?? timestampMs, deadlineMs, call, slot);
        plan.next = index + 1;
      }
      // A single message is all in its segment: thousands of such calls may be outstanding.
      if (call?.length === 1 && plan.timestamps === undefined) call.spread = undefined;
    } catch (error) {
      // The application changed a message after it had been checked.
      this.refuse(plan, withStored(error, 'no'));
    }
    plan.messages = [];
    return true;
  }

  /** A plan waits for nothing here any more; those behind it go on. */
  #leave(plan: TopicPlan): void {
    if (!this.#waiting.delete(plan)) return;
    const { stagedBytes, listeners, topics } = plan;
    plan.stagedBytes = 0;
    removeFrom(this.#roomLine, plan);
    for (const topic of topics) removeFrom(topic.line, plan);
    if (listeners !== undefined) for (const listener of listeners) listener(plan.refusal);
    this.#freed.push(...topics);
    this.#accumulator.returnRoom(stagedBytes);
    for (const topic of topics) this.#forgetIfUnused(topic);
  }

  /** Tells the completion about messages of `enqueue` that got into no batch. */
  #tellLost(plan: TopicPlan, lost: readonly OutgoingMessage[], error: KafkaError): void {
    for (const { topic } of plan.topics) {
      const messages = lost.filter((message) => (message.topic ?? topic) === topic);
      this.#accumulator.complete({ topic, partition: -1, messages, baseOffset: undefined, error });
    }
    this.#context.cluster.logger.warn?.('messages were not written', {
      messages: lost.length,
      reason: error.message,
    });
  }

  #topic(name: string): Topic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      const { cluster } = this.#context;
      topic = new Topic(name, cluster, this.#queueOptions);
      this.#topics.set(name, topic);
    }
    return topic;
  }

  /** Names that turn out not to be topics must not pile up. */
  #forgetIfUnused(topic: Topic): void {
    if (topic.loaded || topic.loading || topic.line.length > 0) return;
    this.#topics.delete(topic.topic);
    topic.release();
  }
}

function removeFrom<T>(list: T[], item: T): void {
  const index = list.indexOf(item);
  if (index >= 0) list.splice(index, 1);
}

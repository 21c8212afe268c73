/** Which call gets its messages into batches next: its topics are known, it is first in their lines, there is room.
 * Not here: encoding and memory (accumulator.ts).
 * Invariants: calls enter a topic in call order, whatever each had to wait for (P3); a call is balanced as a whole
 * before its first append (W1); the whole waits under the call's deadline (W9).
 */
import { KafkaError, TimeoutError, UsageError } from '../../errors.ts';
import { closedError } from '../cluster/index.ts';
import type { Accumulator, WriterContext } from './accumulator.ts';
import type { WriteCall } from './call.ts';
import { withStored } from './errors.ts';
import { copyMessage, KeyBytes, messageByteBound, type OutgoingMessage } from './message.ts';
import type { PartitionQueue, QueueOptions } from './partition-queue.ts';
import { Topic } from './topic.ts';

/** Milliseconds for which a broker's "unknown topic" is doubted: one that was just created takes a moment to be known. */
const unknownTopicDoubtMs = 500;

/** What a waiting message of `enqueue` counts for besides its bytes: it is an object of its own until it is in a batch. */
const stagedMessageBytes = 256;

/** A call of a Writer. */
export type TopicCall = WriteCall<Topic>;

/** Lets calls in. */
export class Admission {
  readonly #context: WriterContext;
  readonly #accumulator: Accumulator;
  readonly #queueOptions: QueueOptions;
  readonly #topics = new Map<string, Topic>();
  readonly #interest = new Map<Topic, () => void>();
  readonly #waiting = new Set<TopicCall>();
  /** Calls that only want for room, in their order. */
  readonly #roomLine: TopicCall[] = [];
  /** Topics whose first in line may go on. */
  readonly #freed: Topic[] = [];
  readonly #keys = new KeyBytes();
  readonly #lifetime = new AbortController();
  readonly #random: () => number;
  #running = false;

  constructor(context: WriterContext, accumulator: Accumulator, queueOptions: QueueOptions) {
    this.#context = context;
    this.#accumulator = accumulator;
    this.#queueOptions = queueOptions;
    this.#random = () => context.cluster.platform.random();
    accumulator.onRoom = () => this.#run();
  }

  /** Calls that are not in batches yet. */
  get waiting(): ReadonlySet<TopicCall> {
    return this.#waiting;
  }

  /** The topics of the Writer, for news of their leaders. */
  get topics(): Iterable<Topic> {
    return this.#topics.values();
  }

  /** Puts a single message straight into its batch; false when it has to wait for something. Throws what a balancer
   * deserves. */
  enter(message: OutgoingMessage, byteBound: number): boolean {
    const topic = this.#topic(message.topic ?? this.#context.settings.topic ?? '');
    if (!topic.loaded || topic.line.length > 0) return false;
    if (this.#roomLine.length > 0 || !this.#accumulator.hasRoom(byteBound)) return false;
    const queue = topic.queue(this.#partition(topic, message, 0));
    const { settings, cluster } = this.#context;
    const deadlineMs = cluster.platform.monotonicNow() + settings.deliveryTimeoutMs;
    const timestampMs = message.timestamp ?? Math.floor(cluster.platform.now());
    this.#accumulator.expect(1);
    this.#accumulator.append(queue, message, timestampMs, deadlineMs, undefined);
    return true;
  }

  /** Lets a call in, or puts it in line. Throws what a balancer deserves, while nothing of the call was appended. */
  enterCall(call: TopicCall): void {
    this.#accumulator.expect(call.length);
    this.#waiting.add(call);
    for (const message of call.messages) {
      const topic = this.#topic(call.topic ?? message.topic ?? '');
      if (topic.line[topic.line.length - 1] !== call) {
        call.topics.push(topic);
        topic.line.push(call);
      }
      if (call.topic !== undefined) break;
    }
    this.#freed.push(...call.topics);
    this.#run();
    if (!this.#waiting.has(call)) return;
    // The caller's array and, for an enqueue that was taken, its bytes are the caller's again.
    call.messages = call.kind === 'enqueue' ? call.messages.map(copyMessage) : [...call.messages];
    this.#context.alarm.arm(call.deadlineMs);
  }

  /** Adds a message to the enqueue that waits last in its topic's line; the call, or undefined if there is none. */
  join(message: OutgoingMessage, byteBound: number): TopicCall | undefined {
    const topic = this.#topic(message.topic ?? this.#context.settings.topic ?? '');
    const last = topic.line[topic.line.length - 1];
    if (last === undefined || last.kind !== 'enqueue' || last.balanced || last.settled) return undefined;
    this.#accumulator.expect(1);
    last.push(copyMessage(message), byteBound);
    return last;
  }

  /** Counts the messages of a waiting enqueue as buffered; false when there is no room for that. */
  stage(call: TopicCall, byteBound: number): boolean {
    const bytes = byteBound + stagedMessageBytes;
    if (this.#roomLine.length > 0 || !this.#accumulator.hasRoom(bytes)) return false;
    call.stagedBytes += bytes;
    this.#accumulator.bufferedBytes += bytes;
    return true;
  }

  /** The caller gave up: what was not sent is taken back (W5), for the rest nobody waits any more. */
  giveUp(call: TopicCall, cause: unknown): void {
    if (call.settled) return;
    const error = (stored: 'no' | 'maybe'): KafkaError =>
      new KafkaError('The write was aborted by its signal', { code: 'ABORTED', stored, cause });
    const [withdrawn, unknown] = [error('no'), error('maybe')];
    this.refuse(call, withdrawn);
    for (const [slot, segments] of call.segments.entries()) {
      for (const segment of segments) {
        const { batch } = segment;
        if (batch.settled) continue;
        const taken = this.#accumulator.withdraw(call.queues[slot] as PartitionQueue, segment);
        segment.error = taken ? withdrawn : unknown;
        if (!taken) batch.forget(segment);
        call.recordsSettled(segment.count, true);
      }
    }
  }

  /** What of a call is in no batch will not get into one. */
  refuse(call: TopicCall, error: KafkaError): void {
    const lost = call.kind === 'enqueue' ? call.messages.slice(call.next) : [];
    const count = call.refuse(error);
    this.#context.stats.window.errors += count;
    this.#accumulator.done(count);
    if (count > 0 && lost.length > 0) {
      for (const topic of call.topics) {
        const messages = lost.filter((message) => (message.topic ?? topic.topic) === topic.topic);
        this.#accumulator.complete({
          topic: topic.topic,
          partition: -1,
          messages,
          baseOffset: undefined,
          error,
        });
      }
      this.#context.cluster.logger.warn?.('messages were not written', {
        messages: count,
        reason: error.message,
      });
    }
    this.#leave(call);
  }

  /** Refuses calls whose deadline has passed; the moment at which the next may. */
  tick(nowMs: number): number {
    let nextMs = Infinity;
    const limitMs = this.#context.settings.deliveryTimeoutMs;
    for (const call of this.#waiting) {
      if (call.deadlineMs > nowMs) nextMs = Math.min(nextMs, call.deadlineMs);
      else {
        const why = call.balanced ? 'found no room in maxBufferedBytes' : 'got no metadata';
        this.refuse(
          call,
          new TimeoutError(`The write ${why} within deliveryTimeoutMs, ${limitMs} ms`, {
            limitMs,
            stored: 'no',
          }),
        );
      }
    }
    return nextMs;
  }

  /** Refuses every waiting call and lets go of the topics. */
  close(): void {
    this.#lifetime.abort(closedError('The writer', 'no'));
    for (const call of this.#waiting) this.refuse(call, closedError('The writer', 'no'));
    for (const release of this.#interest.values()) release();
    this.#interest.clear();
  }

  /** Lets in what can be let in. A loop, since each call that leaves may free the next ones. */
  #run(): void {
    if (this.#running) return;
    this.#running = true;
    for (;;) {
      const first = this.#freed.shift()?.line[0];
      if (first !== undefined) this.#advance(first);
      if (this.#freed.length > 0) continue;
      const call = this.#roomLine[0];
      if (call === undefined || !this.#append(call)) break;
      this.#leave(call);
    }
    this.#running = false;
    const pressed = this.#roomLine.length > 0;
    if (pressed && !this.#accumulator.pressed) this.#accumulator.press();
    this.#accumulator.pressed = pressed;
  }

  /** Goes as far with the first call in a line as is possible now. */
  #advance(call: TopicCall): void {
    if (call.balanced || call.topics.some((topic) => topic.line[0] !== call)) return;
    const startedMs = call.deadlineMs - this.#context.settings.deliveryTimeoutMs;
    for (const topic of call.topics) {
      if (topic.loaded) continue;
      const { failure } = topic;
      // The call was in line when the look-up failed, so the answer is as fresh for it as its own would be.
      if (failure !== undefined && failure.atMs >= startedMs) this.refuse(call, failure.error);
      else if (!topic.loading) void this.#load(topic, call.deadlineMs);
      return;
    }
    this.#balance(call);
    if (!call.balanced) return;
    this.#accumulator.bufferedBytes -= call.stagedBytes;
    call.stagedBytes = 0;
    this.#roomLine.push(call);
  }

  async #load(topic: Topic, deadlineMs: number): Promise<void> {
    const { cluster } = this.#context;
    topic.loading = true;
    try {
      const { signal } = this.#lifetime;
      topic.update(
        await cluster.topic(topic.topic, { deadlineMs, doubtMs: unknownTopicDoubtMs, signal }),
        () => undefined,
      );
      if (!topic.loaded) throw new TimeoutError(`Topic ${topic.topic} has no partitions`, { limitMs: 0 });
    } catch (error) {
      // Past the deadline of the call that asked; the next in line asks under its own.
      const outOfTime = error instanceof TimeoutError;
      if (!outOfTime)
        topic.failure = { error: withStored(error, 'no'), atMs: cluster.platform.monotonicNow() };
      else this.tick(cluster.platform.monotonicNow());
    }
    topic.loading = false;
    this.#freed.push(topic);
    this.#run();
    this.#forgetIfUnused(topic);
  }

  /** Chooses every message's partition; on a fault nothing of the call is appended (W1). */
  #balance(call: TopicCall): void {
    const { messages, length } = call;
    if (length > 1) call.slots = new Int32Array(length);
    let topic = call.topics[0] as Topic;
    try {
      for (let index = 0; index < length; index++) {
        const message = messages[index] as OutgoingMessage;
        if (message.topic !== undefined && message.topic !== topic.topic) topic = this.#topic(message.topic);
        const queue = topic.queue(this.#partition(topic, message, index));
        if (queue.slot < 0) {
          queue.slot = call.queues.push(queue) - 1;
          call.segments.push([]);
        }
        queue.callBytes += topic.recordBytes;
        if (call.slots !== undefined) call.slots[index] = queue.slot;
        if (message.timestamp !== undefined) {
          call.timestamps ??= new Float64Array(length).fill(Number.NaN);
          call.timestamps[index] = message.timestamp;
        }
      }
      call.balanced = true;
    } catch (error) {
      this.refuse(call, withStored(error, 'no'));
    } finally {
      for (const queue of call.queues) {
        queue.slot = -1;
        queue.callBytes = 0;
      }
    }
  }

  #partition(topic: Topic, message: OutgoingMessage, index: number): number {
    const count = topic.partitions.length;
    const { partition } = message;
    topic.recordBytes = messageByteBound(message);
    if (partition !== undefined) {
      if (partition < count) return partition;
      throw new UsageError(
        `Message ${index}: partition ${partition} of ${topic.topic} does not exist; it has 0 to ${count - 1}`,
      );
    }
    const chosen = this.#context.settings.balancer.partition(message, this.#keys.of(message.key), topic);
    if (Number.isInteger(chosen) && chosen >= 0 && chosen < count) return chosen;
    throw new UsageError(
      `Message ${index}: the balancer returned ${String(chosen)} for ${topic.topic}, which has 0 to ${count - 1}`,
    );
  }

  /** Appends a call's messages while there is room; true when all are in. */
  #append(call: TopicCall): boolean {
    const accumulator = this.#accumulator;
    const { messages, length, slots } = call;
    const roomForAll = accumulator.bufferedBytes + call.byteBound <= this.#context.settings.maxBufferedBytes;
    for (let index = call.next; index < length; index++) {
      const message = messages[index] as OutgoingMessage;
      if (!roomForAll && !accumulator.hasRoom(messageByteBound(message))) return false;
      const slot = slots === undefined ? 0 : (slots[index] as number);
      const queue = call.queues[slot] as PartitionQueue;
      const owner = call.kind === 'write' ? call : undefined;
      const segment = accumulator.append(queue, message, call.timestampOf(index), call.deadlineMs, owner);
      if (segment !== undefined) call.segments[slot]?.push(segment);
      call.next = index + 1;
    }
    if (call.kind === 'enqueue') call.recordsSettled(length, false);
    return true;
  }

  /** The call waits for nothing here any more; those behind it go on. */
  #leave(call: TopicCall): void {
    if (!this.#waiting.delete(call)) return;
    const { stagedBytes } = call;
    call.stagedBytes = 0;
    const place = this.#roomLine.indexOf(call);
    if (place >= 0) this.#roomLine.splice(place, 1);
    for (const topic of call.topics) {
      const inLine = topic.line.indexOf(call);
      if (inLine >= 0) topic.line.splice(inLine, 1);
    }
    if (call.onAdmitted !== undefined) for (const admitted of call.onAdmitted) admitted();
    this.#freed.push(...call.topics);
    this.#accumulator.returnRoom(undefined, stagedBytes);
    for (const topic of call.topics) this.#forgetIfUnused(topic);
  }

  #topic(name: string): Topic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      const { cluster } = this.#context;
      topic = new Topic(name, this.#random, this.#queueOptions);
      this.#topics.set(name, topic);
      this.#interest.set(topic, cluster.useTopics([name]));
      const known = cluster.snapshot.topics.get(name);
      if (known?.errorCode === 0) topic.update(known, () => undefined);
    }
    return topic;
  }

  /** Names that turn out not to be topics must not pile up. */
  #forgetIfUnused(topic: Topic): void {
    if (!topic.unused || topic.loading || topic.loaded) return;
    this.#topics.delete(topic.topic);
    this.#interest.get(topic)?.();
    this.#interest.delete(topic);
  }
}

/** Which messages get into batches next: their topics are known, they are first in the lines, there is room.
 * Not here: encoding and memory (accumulator.ts).
 * Invariants: messages enter a topic in call order, whatever each call had to wait for (P3); a call is balanced as a
 * whole before its first append (W1); the whole waits under the call's deadline (W9).
 */
import { KafkaError, UsageError } from '../../errors.ts';
import { closedError } from '../cluster/index.ts';
import type { Accumulator, WriterContext } from './accumulator.ts';
import { Call, none } from './call.ts';
import { lateError, withStored } from './errors.ts';
import { copyMessage, KeyBytes, messageBytes, type OutgoingMessage } from './message.ts';
import type { Batch, PartitionQueue, Segment } from './partition-queue.ts';
import { Topic } from './topic.ts';

/** Milliseconds for which a broker's "unknown topic" is doubted: one that was just created takes a moment to be known. */
const unknownTopicDoubtMs = 500;

/** What a waiting message of `enqueue` counts for besides its bytes: it is an object of its own until it is in a batch. */
const stagedMessageBytes = 256;

function abortedError(cause: unknown, stored: 'no' | 'maybe'): KafkaError {
  return new KafkaError('The write was aborted by its signal', { code: 'ABORTED', stored, cause });
}

/** A call to topics as they are here. */
export type TopicCall = Call<Topic>;

/** Lets messages in. */
export class Admission {
  readonly #context: WriterContext;
  readonly #accumulator: Accumulator;
  readonly #topics = new Map<string, Topic>();
  readonly #waiting = new Set<TopicCall>();
  /** With why. */
  readonly #givenUp = new Map<TopicCall, unknown>();
  readonly #keys = new KeyBytes();
  readonly #lifetime = new AbortController();
  readonly #unsubscribe: () => void;
  #running = false;
  #runs = false;

  constructor(context: WriterContext, accumulator: Accumulator) {
    this.#context = context;
    this.#accumulator = accumulator;
    accumulator.onRoom = () => this.#run();
    this.#unsubscribe = context.cluster.onSnapshot(({ topics }) => {
      for (const topic of this.#topics.values()) {
        const news = topics.get(topic.topic);
        if (news !== undefined) topic.update(news);
      }
    });
  }

  /** Resolves when what was taken so far has its outcome, and sees to it that it does not wait for company. */
  async delivered(): Promise<void> {
    const accumulator = this.#accumulator;
    accumulator.hurry();
    await Promise.allSettled(Array.from(this.#waiting, (call) => call.left()));
    accumulator.hurry();
    await Promise.all(Array.from(accumulator.active, ({ batches }) => batches.at(-1)?.told()));
  }

  /** A call of these messages, with the time and the deadline of now. It is to be entered or refused. */
  call(messages: readonly OutgoingMessage[]): TopicCall {
    const { settings, cluster } = this.#context;
    const { platform } = cluster;
    const deadlineMs = platform.monotonicNow() + settings.deliveryTimeoutMs;
    this.#accumulator.expect(messages.length);
    return new Call(settings.topic, messages, Math.floor(platform.now()), deadlineMs);
  }

  /** Puts a message straight into its batch, or in line. A promise when it takes room that is not there. Throws what a
   * balancer deserves, and `BUFFER_FULL` where nobody waits for room. */
  enqueue(message: OutgoingMessage): undefined | Promise<void> {
    const accumulator = this.#accumulator;
    const { settings, cluster } = this.#context;
    const topic = this.#topic(message.topic ?? settings.topic ?? '');
    const { line } = topic;
    const nowMs = Math.floor(cluster.platform.now());
    if (topic.loaded && line.length === 0 && !accumulator.pressed && accumulator.hasRoomFor(message)) {
      const queue = this.#queueFor(topic, message, 0);
      accumulator.append(queue, message, message.timestamp ?? nowMs, undefined, undefined);
      accumulator.expect(1);
      return undefined;
    }
    const stagedBytes = messageBytes(message) + stagedMessageBytes;
    const waits = settings.whenFull === 'wait';
    const isOver = accumulator.bufferedBytes + stagedBytes > settings.maxBufferedBytes;
    if (isOver && !waits && accumulator.bufferedBytes > 0) throw this.#full(stagedBytes);
    // The bytes are the caller's again.
    const copy = copyMessage(message, nowMs);
    let call = line.last;
    if (call === undefined || call.owner !== undefined || call.targets.length > 0) {
      call = this.call([copy]);
      this.enter(call);
    } else {
      accumulator.expect(1);
      call.push(copy);
    }
    if (call.refusal !== null) throw call.refusal;
    if (accumulator.pressed || (isOver && waits)) return call.left();
    call.stagedBytes += stagedBytes;
    accumulator.bufferedBytes += stagedBytes;
    return undefined;
  }

  /** Carries a call out as far as that is possible now; what is left waits in line. */
  enter(call: TopicCall): void {
    const { messages } = call;
    const { topic, whenFull } = this.#context.settings;
    if (whenFull === 'fail' && call.owner !== undefined && !this.#reserve(call)) return;
    call.topics =
      topic === undefined
        ? [...new Set(messages.map((message) => this.#topic(message.topic ?? '')))]
        : [this.#topic(topic)];
    if (!this.#accumulator.pressed && call.topics.every(({ loaded, line }) => loaded && line.length === 0)) {
      if (this.#carryOut(call)) return;
      this.#accumulator.press(true);
    }
    // The caller's array is the caller's again.
    call.messages = [...messages];
    this.#waiting.add(call);
    this.#context.alarm.arm(call.deadlineMs);
    for (const waitedFor of call.topics) {
      waitedFor.line.push(call);
      if (!waitedFor.loaded && !waitedFor.loading) void this.#load(waitedFor);
    }
  }

  /** Where nobody waits for room: counts a call as buffered from the beginning, as a whole, or refuses it. */
  #reserve(call: TopicCall): boolean {
    const accumulator = this.#accumulator;
    const { messages } = call;
    const leftBytes = this.#context.settings.maxBufferedBytes - accumulator.bufferedBytes;
    let bytes = 0;
    for (const message of messages) bytes += messageBytes(message);
    // Text was counted three times over at worst.
    if (bytes > leftBytes) bytes = messages.reduce((sum, message) => sum + messageBytes(message, 0), 0);
    const isAlone = messages.length === 1 && accumulator.bufferedBytes === 0;
    if (bytes > leftBytes && !isAlone) {
      this.refuse(call, this.#full(bytes));
      return false;
    }
    call.stagedBytes = bytes;
    accumulator.bufferedBytes += bytes;
    return true;
  }

  /** The error where there is no room and nobody waits for it. What is there goes out without waiting for company. */
  #full(bytes: number): KafkaError {
    const { maxBufferedBytes } = this.#context.settings;
    const { bufferedBytes } = this.#accumulator;
    this.#accumulator.hurry();
    return new KafkaError(
      `No room for ${bytes} bytes: ${bufferedBytes} of maxBufferedBytes, ${maxBufferedBytes}, are taken; write later, or with whenFull: 'wait'`,
      { code: 'BUFFER_FULL', stored: 'no', retriable: bytes <= maxBufferedBytes },
    );
  }

  /** The caller gave up: what was not sent is taken back (W5), for the rest nobody waits any more. */
  giveUp(call: TopicCall, cause: unknown): void {
    if (call.next < call.messages.length) this.refuse(call, abortedError(cause, 'no'));
    // One signal may end thousands of calls, but their batches are made anew once.
    if (this.#givenUp.size === 0) void Promise.resolve().then(() => this.#takeBack());
    this.#givenUp.set(call, cause);
  }

  /** Takes back what was given up in this turn. */
  #takeBack(): void {
    const batches = new Map<Batch, Map<Segment, unknown>>();
    for (const [call, cause] of this.#givenUp) {
      for (const first of new Set(call.segments.slice(0, call.next))) {
        for (let segment: Segment | undefined = first; segment !== undefined; segment = segment.rest) {
          const gone = batches.get(segment.batch) ?? new Map<Segment, unknown>();
          batches.set(segment.batch, gone.set(segment, cause));
        }
      }
    }
    this.#givenUp.clear();
    for (const [batch, gone] of batches) {
      if (batch.settled) continue;
      const isTakenBack = this.#accumulator.withdraw(batch, new Set(gone.keys()));
      for (const [segment, cause] of gone) {
        // The others are counted by the outcome of their batch.
        if (isTakenBack) this.#context.stats.count('errors', segment.count);
        segment.error = abortedError(cause, isTakenBack ? 'no' : 'maybe');
        segment.owner.recordsSettled(segment.count, true);
      }
    }
    this.#run();
  }

  /** What of a call is in no batch will not get into one; see `Call.refuse`. */
  refuse(call: TopicCall, error: KafkaError, faults?: ReadonlyMap<number, KafkaError>): void {
    const { messages, next, topics } = call;
    const lost = messages.slice(next);
    if (call.refusal !== null || lost.length === 0) return;
    this.#context.stats.count('errors', lost.length);
    this.#accumulator.done(lost.length);
    call.refuse(error, faults);
    if (!this.#leave(call) || call.owner !== undefined) return;
    const { topic } = topics[0] as Topic;
    this.#accumulator.tell(
      {
        topic,
        partition: -1,
        messages: lost,
        baseOffset: undefined,
        appendTimeMs: undefined,
        error,
        recordErrors: undefined,
      },
      lost.length,
    );
  }

  /** Refuses everything that waits. */
  refuseAll(error: KafkaError): void {
    for (const call of this.#waiting) this.refuse(call, error);
  }

  /** Refuses calls whose deadline has passed; the moment at which the next may. */
  tick(nowMs: number): number {
    const limitMs = this.#context.settings.deliveryTimeoutMs;
    for (const call of this.#waiting) {
      // Who came later has until later.
      if (call.deadlineMs > nowMs) return call.deadlineMs;
      // A look-up ends by the deadline of the first that waits for it, and knows why it failed.
      if (call.topics.some(({ loading }) => loading)) continue;
      this.refuse(call, lateError('The write found no room in maxBufferedBytes', limitMs));
      this.#runSoon();
    }
    return Infinity;
  }

  /** Refuses what waits and lets go of the topics. */
  close(): void {
    const closed = closedError('The writer', 'no');
    this.#unsubscribe();
    this.#lifetime.abort(closed);
    this.refuseAll(closed);
    for (const topic of this.#topics.values()) topic.release();
  }

  /** Once at the end of this turn, however many gave way in it. */
  #runSoon(): void {
    if (this.#runs) return;
    this.#runs = true;
    this.#context.cluster.platform.defer(() => {
      this.#runs = false;
      this.#run();
    });
  }

  /** Lets in what can be let in, in call order, until room is wanting. */
  #run(): void {
    // Called by a completion, which may have freed something.
    if (this.#running) return this.#runSoon();
    this.#running = true;
    let pressed = false;
    for (const call of this.#waiting) {
      if (!call.topics.every(({ loaded, line }) => loaded && line.first === call)) continue;
      pressed = !this.#carryOut(call);
      if (pressed) break;
    }
    this.#accumulator.press(pressed);
    this.#running = false;
  }

  /** Puts what is left of a call into batches; false if that is not all, for want of room. */
  #carryOut(call: TopicCall): boolean {
    const accumulator = this.#accumulator;
    const waits = this.#context.settings.whenFull === 'wait';
    this.#unstage(call);
    try {
      if (call.targets.length === 0) this.#balance(call);
      const { messages, targets, owner, timestampMs, deadlineMs } = call;
      for (let index = call.next; index < messages.length; index++) {
        const message = messages[index] as OutgoingMessage;
        if (waits && !accumulator.hasRoomFor(message)) return false;
        const queue = targets[index] as PartitionQueue;
        const recordMs = message.timestamp ?? timestampMs;
        call.entered(accumulator.append(queue, message, recordMs, deadlineMs, owner));
      }
      this.#leave(call);
    } catch (error) {
      // The balancer is at fault, or the application changed a message after it had been checked.
      this.refuse(call, withStored(error, 'no'));
    }
    return true;
  }

  /** Looks a topic up for those in its line, as long as there are any, by the deadline of the first. */
  async #load(topic: Topic): Promise<void> {
    const { cluster, settings } = this.#context;
    const { line, topic: name } = topic;
    const options = { doubtMs: unknownTopicDoubtMs, signal: this.#lifetime.signal };
    topic.loading = true;
    for (let { first } = line; first !== undefined && !topic.loaded; first = line.first) {
      try {
        topic.update(await cluster.topic(name, { ...options, deadlineMs: first.deadlineMs }));
      } catch (error) {
        const failure = withStored(error, 'no');
        const isFinal = failure.code === 'UNKNOWN_TOPIC' || !failure.retriable;
        const limitMs = settings.deliveryTimeoutMs;
        const refusal = isFinal ? failure : lateError(`No metadata of ${name}`, limitMs, failure);
        const nowMs = cluster.platform.monotonicNow();
        // Trouble that passes answers only those whose time is over.
        for (let late = line.first; late !== undefined; late = line.first) {
          if (!isFinal && late.deadlineMs > nowMs) break;
          this.refuse(late, refusal);
        }
      }
    }
    topic.loading = false;
    // Names that turn out not to be topics must not pile up.
    if (!topic.loaded) {
      this.#topics.delete(name);
      topic.release();
    }
    this.#run();
  }

  /** Chooses every message's partition. Throws before anything of the call is appended (W1). */
  #balance(call: TopicCall): void {
    const { messages } = call;
    const { length } = messages;
    const targets: PartitionQueue[] = Array<PartitionQueue>(length);
    let topic = call.topics[0] as Topic;
    let index = 0;
    try {
      for (; index < length; index++) {
        const message = messages[index] as OutgoingMessage;
        if (message.topic !== undefined && message.topic !== topic.topic) topic = this.#topic(message.topic);
        const queue = this.#queueFor(topic, message, index);
        queue.callBytes += topic.recordBytes;
        targets[index] = queue;
        if (message.timestamp === undefined) continue;
        (call.timestamps ??= Array<number>(length))[index] = message.timestamp;
      }
      call.targets = targets;
    } finally {
      while (index-- > 0) (targets[index] as PartitionQueue).callBytes = 0;
    }
  }

  /** The message's partition: its own choice, else the balancer's. */
  #queueFor(topic: Topic, message: OutgoingMessage, index: number): PartitionQueue {
    topic.recordBytes = messageBytes(message);
    const { balancer } = this.#context.settings;
    const chosen = message.partition ?? balancer.partition(message, this.#keys.of(message.key), topic);
    const isThere = Number.isInteger(chosen) && chosen < topic.partitions.length;
    const queue = isThere ? topic.queues[chosen] : undefined;
    if (queue !== undefined) return queue;
    const who = message.partition === undefined ? 'the balancer chose' : 'it asks for';
    throw new UsageError(
      `Message ${index}: ${who} partition ${String(chosen)}; ${topic.topic} has 0 to ${topic.partitions.length - 1}`,
      { stored: 'no' },
    );
  }

  /** The waiting messages of a call do not count as buffered any more. */
  #unstage(call: TopicCall): void {
    this.#accumulator.bufferedBytes -= call.stagedBytes;
    call.stagedBytes = 0;
  }

  /** A call waits for nothing here any more; true if it was in line. */
  #leave(call: TopicCall): boolean {
    const { topics } = call;
    this.#unstage(call);
    call.topics = none;
    // Of a refused one, the receipt still says where each message was to go.
    if (call.refusal === null || call.targets.length > 0) call.messages = none;
    if (call.refusal === null) call.targets = none;
    call.onLeave?.();
    if (!this.#waiting.delete(call)) return false;
    for (const { line } of topics) line.remove(call);
    return true;
  }

  #topic(name: string): Topic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = new Topic(name, this.#context.cluster, this.#accumulator);
      this.#topics.set(name, topic);
    }
    return topic;
  }
}

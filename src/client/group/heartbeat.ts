/** Keeps a member alive: a Heartbeat every interval by timer, whatever the application does, on the control connection.
 * Only reports how the generation ends. Invariant: the local session ends before the coordinator can give the
 * partitions away, because it counts from when the last answered heartbeat was sent.
 * Source: Kafka's `session.timeout.ms` and `heartbeat.interval.ms`; KIP-62.
 */
import { BrokerError, TimeoutError, UsageError } from '../../errors.ts';
import { heartbeatApi } from '../../protocol/api/12-heartbeat.ts';
import { Backoff, sleep } from '../cluster/index.ts';
import type { GroupCoordinator } from './coordinator.ts';
import { endingOf, type EndGeneration, type Generation } from './generation.ts';

/** How often, for how long, and whom to tell. */
export interface HeartbeatOptions {
  readonly heartbeatIntervalMs: number;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly end: EndGeneration;
}

/** Sends heartbeats until the generation is over. Never rejects. */
export async function keepAlive(
  coordinator: GroupCoordinator,
  generation: Generation,
  options: HeartbeatOptions,
): Promise<void> {
  const { platform } = coordinator.cluster;
  const { heartbeatIntervalMs, sessionTimeoutMs, rebalanceTimeoutMs, end } = options;
  const signal = generation.over;
  const backoff = new Backoff(platform);
  let waitMs = heartbeatIntervalMs;
  while (!signal.aborted) {
    const leftMs = expiryMs(generation, options) - platform.monotonicNow();
    if (leftMs <= 0) {
      const limitMs = Math.min(sessionTimeoutMs, rebalanceTimeoutMs);
      const text = `No heartbeat of group ${coordinator.groupId} was answered for ${limitMs} ms`;
      return end(generation, { kind: 'lost', error: new TimeoutError(text, { limitMs }) });
    }
    await sleep(platform, Math.min(waitMs, leftMs), signal).catch(() => undefined); // aborted: the loop ends
    if (signal.aborted || waitMs >= leftMs) continue;
    try {
      await beat(coordinator, generation, options);
      backoff.reset();
      waitMs = heartbeatIntervalMs;
    } catch (error) {
      if (signal.aborted) return;
      if ((error instanceof BrokerError || error instanceof UsageError) && !error.retriable) {
        return end(generation, { kind: 'failed', error });
      }
      coordinator.cluster.logger.warn?.('heartbeat failed', { reason: String(error) });
      waitMs = Math.min(heartbeatIntervalMs, backoff.next());
    }
  }
}

/** When the coordinator may have given the partitions away: at the end of the session, or of a rebalance that began
 * right after it was last heard. Once a rebalance is known, giving up has its own deadline. */
function expiryMs(
  generation: Generation,
  { sessionTimeoutMs, rebalanceTimeoutMs }: HeartbeatOptions,
): number {
  const sessionEndMs = generation.aliveMs + sessionTimeoutMs;
  return generation.ending.aborted
    ? sessionEndMs
    : Math.min(sessionEndMs, generation.calmMs + rebalanceTimeoutMs);
}

/** One heartbeat. Rejects when it was not answered, or with a code that says nothing about the generation. */
async function beat(
  coordinator: GroupCoordinator,
  generation: Generation,
  options: HeartbeatOptions,
): Promise<void> {
  const { platform, requestTimeoutMs } = coordinator.cluster;
  const sentMs = platform.monotonicNow();
  const deadlineMs = expiryMs(generation, options);
  const body = { groupId: coordinator.groupId, generationId: generation.id, memberId: generation.memberId };
  const { errorCode } = await coordinator.ask('control', heartbeatApi, body, {
    deadlineMs,
    // A third of the session leaves room for another coordinator before it ends.
    timeoutMs: Math.max(1, Math.min(requestTimeoutMs, options.sessionTimeoutMs / 3, deadlineMs - sentMs)),
    signal: generation.over,
  });
  const ending = endingOf(errorCode, 'Heartbeat');
  if (ending === undefined) coordinator.check(errorCode, 'Heartbeat');
  if (ending?.kind === 'lost') return options.end(generation, ending);
  generation.aliveMs = sentMs;
  if (ending === undefined) generation.calmMs = sentMs;
  else if (generation.stable) options.end(generation, ending);
}

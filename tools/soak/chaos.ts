/** What goes wrong in a round, drawn from a seed before it begins, and the hand that does it.
 * Invariant: one node at a time is in trouble; what comes next waits until it is back.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { produceApi } from 'kafka-wire/protocol';
import type { ExchangeFault } from 'kafka-wire/testing';
import type { KafkaCluster } from '../kafka/cluster.ts';

/** How much goes wrong. */
export interface Measure {
  /** SIGKILL, and a start after at most a second. */
  readonly kills: number;
  /** SIGSTOP of 2 to 8 seconds. */
  readonly pauses: number;
  /** Answers of Produce that are dropped after the broker has stored the batch. */
  readonly drops: number;
}

/** Trouble of one node. */
export interface NodeTrouble {
  readonly kind: 'kill' | 'pause';
  readonly nodeId: number;
  /** Milliseconds until it starts, with the others at work. */
  readonly waitMs: number;
  /** Milliseconds of the node's absence: before its start, or of its pause. */
  readonly awayMs: number;
}

/** Everything that will go wrong. */
export interface ChaosPlan {
  readonly troubles: readonly NodeTrouble[];
  readonly drops: readonly ExchangeFault[];
}

/** Draws a plan. */
export function planChaos({ kills, pauses, drops }: Measure, random: () => number): ChaosPlan {
  const kinds = [
    ...Array.from({ length: kills }, () => 'kill' as const),
    ...Array.from({ length: pauses }, () => 'pause' as const),
  ];
  const troubles = kinds
    .map((kind) => ({ kind, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ kind }): NodeTrouble => {
      const awayMs = kind === 'kill' ? random() * 1_000 : 2_000 + random() * 6_000;
      return { kind, nodeId: 1 + Math.floor(random() * 3), waitMs: random() * 300, awayMs };
    });
  return { troubles, drops: Array.from({ length: drops }, () => planDrop(random)) };
}

/** Most clients see the end of the connection; some a reset, a torn frame, or nothing at all. */
function planDrop(random: () => number): ExchangeFault {
  const kind = random();
  if (kind < 0.65) return { api: produceApi, outcome: 'disconnect' };
  if (kind < 0.8) return { api: produceApi, outcome: 'reset' };
  if (kind < 0.95)
    return { api: produceApi, outcome: 'disconnect', afterBytes: 1 + Math.floor(random() * 40) };
  return { api: produceApi, outcome: 'silence' };
}

/** Does it to a node as soon as records are on their way, and waits until the node is back. */
export async function makeTrouble(
  kafka: KafkaCluster,
  { kind, nodeId, waitMs, awayMs }: NodeTrouble,
  recordsUnderWay: () => Promise<void>,
): Promise<void> {
  const node = kafka.node(nodeId);
  await delay(waitMs);
  await recordsUnderWay();
  if (kind === 'kill') await node.kill();
  else node.pause();
  await delay(awayMs);
  if (kind === 'kill') await node.start();
  else node.resume();
}

/** Members of a classic group, and what their protocols have in common. Not here: states and timers (group.ts).
 * Invariant: nothing here changes a member. Source: Kafka's ClassicGroupMember.
 */
import type { Timer } from '../platform.ts';
import type { JoinGroupRequest, JoinGroupResponse } from '../protocol/api/11-join-group.ts';
import type { SyncGroupResponse } from '../protocol/api/14-sync-group.ts';
import type { Input } from '../protocol/schema.ts';

/** What a join is answered. */
export type JoinAnswer = Input<JoinGroupResponse>;
/** What a sync is answered. */
export type SyncAnswer = Input<SyncGroupResponse>;

/** Who sent a JoinGroup request. */
export interface GroupClient {
  readonly clientId: string;
  readonly clientHost: string;
  readonly apiVersion: number;
}

/** A member as others may see it. */
export interface GroupMember {
  readonly memberId: string;
  /** Kafka's `group.instance.id` (KIP-345), null for a dynamic member. */
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** What it offered with the group's protocol; empty while no protocol is chosen. */
  readonly metadata: Uint8Array;
  readonly assignment: Uint8Array;
}

type Protocols = JoinGroupRequest['protocols'];

/** A member as the coordinator keeps it. */
export interface Member {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  /** In the member's order of preference. */
  protocols: Protocols;
  assignment: Uint8Array;
  /** Answers the JoinGroup that waits. */
  joining: ((answer: JoinAnswer) => void) | undefined;
  /** Answers the SyncGroup that waits. */
  syncing: ((answer: SyncAnswer) => void) | undefined;
  /** Until its first generation: its session can end even while it waits. */
  isNew: boolean;
  session: Timer | undefined;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Whether two offers are the same, order included. */
export function sameProtocols(a: Protocols, b: Protocols): boolean {
  return (
    a.length === b.length && a.every((p, i) => p.name === b[i]?.name && sameBytes(p.metadata, b[i].metadata))
  );
}

/** Whether every member offers the protocol. */
export function isCommonProtocol(members: Iterable<Member>, name: string): boolean {
  return [...members].every(({ protocols }) => protocols.some((protocol) => protocol.name === name));
}

/** Each member votes for the first of its protocols that all offer; most votes win, the earlier one at a tie. */
export function electProtocol(members: readonly Member[]): string | null {
  const votes = new Map<string, number>();
  for (const { protocols } of members) {
    const choice = protocols.find(({ name }) => isCommonProtocol(members, name))?.name;
    if (choice !== undefined) votes.set(choice, (votes.get(choice) ?? 0) + 1);
  }
  let winner: string | null = null;
  for (const [name, count] of votes) {
    if (winner === null || count > (votes.get(winner) ?? 0)) winner = name;
  }
  return winner;
}

/** What a member offered with `protocol`; empty when it did not, or when none is chosen. */
export function protocolMetadata(member: Member, protocol: string | null): Uint8Array {
  return member.protocols.find(({ name }) => name === protocol)?.metadata ?? new Uint8Array(0);
}

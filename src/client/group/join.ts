/** The exchange by which a member enters a generation: JoinGroup, and SyncGroup with or for the assignment.
 * Decides nothing about when. Invariant: every answer that changes who this member is changes its identity at once.
 * Source: Kafka's classic group protocol; KIP-394 (member id first), KIP-559 (protocol names), KIP-800 (reason).
 */
import { joinGroupApi, type JoinGroupResponse } from '../../protocol/api/11-join-group.ts';
import { syncGroupApi } from '../../protocol/api/14-sync-group.ts';
import { decodeAssignment } from '../../protocol/embedded/assignment.ts';
import { encodeSubscription } from '../../protocol/embedded/subscription.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Assignor } from './assignor/assignor.ts';
import type { GroupCoordinator } from './coordinator.ts';
import type { Generation } from './generation.ts';
import type { LeaderPlan } from './leader.ts';

/** Who this member is to the coordinator; kept from generation to generation. */
export interface Identity {
  /** Empty while the coordinator has given none. */
  memberId: string;
  /** -1 while it is in no generation. */
  generationId: number;
  /** Whether a JoinGroup that will bring a member id is under way: leaving has to wait for it. */
  awaitsId: boolean;
}

/** What a member brings along. */
export interface JoinOptions {
  readonly topics: readonly string[];
  readonly assignors: readonly Assignor[];
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
}

/** Kafka's name for groups of consumers. */
const protocolType = 'consumer';

/** How long a broker may hold a JoinGroup or SyncGroup, and a little for the way. */
function joinTimeoutMs(coordinator: GroupCoordinator, rebalanceTimeoutMs: number): number {
  return Math.max(coordinator.cluster.requestTimeoutMs, rebalanceTimeoutMs + 5000);
}

/** Joins. Undefined: try again, as what the identity says now. Rejects with what else stands in the way. */
export async function joinGroup(
  coordinator: GroupCoordinator,
  identity: Identity,
  options: JoinOptions,
  reason: string | null,
  signal: AbortSignal,
): Promise<JoinGroupResponse | undefined> {
  const { topics, assignors, sessionTimeoutMs, rebalanceTimeoutMs } = options;
  // An eager member has given up everything before it joins, so it owns nothing; Java sorts the topics.
  const subscription = {
    topics: topics.toSorted(),
    ownedPartitions: [],
    generationId: identity.generationId,
  };
  const protocols = assignors.map((assignor) => ({
    name: assignor.name,
    metadata: encodeSubscription({ ...subscription, userData: assignor.userData?.(topics) ?? null }),
  }));
  const { groupId } = coordinator;
  const { memberId } = identity;
  const body = { groupId, sessionTimeoutMs, rebalanceTimeoutMs, memberId, protocolType, protocols, reason };
  await coordinator.find({ signal });
  identity.awaitsId = memberId === '';
  const timeoutMs = joinTimeoutMs(coordinator, rebalanceTimeoutMs);
  const answer = await coordinator
    .ask(coordinator.lane.duty, joinGroupApi, body, { timeoutMs, signal })
    .finally(() => (identity.awaitsId = false));
  switch (answer.errorCode) {
    case ErrorCodes.MEMBER_ID_REQUIRED:
      identity.memberId = answer.memberId;
      return undefined;
    case ErrorCodes.UNKNOWN_MEMBER_ID:
      identity.memberId = '';
      return undefined;
    case ErrorCodes.REBALANCE_IN_PROGRESS:
      return undefined;
    default:
      coordinator.check(answer.errorCode, 'JoinGroup');
  }
  identity.memberId = answer.memberId;
  identity.generationId = answer.generationId;
  return answer;
}

/** Hands in the plan, or waits for the leader's. Partitions by topic; undefined: join again. */
export async function syncGroup(
  coordinator: GroupCoordinator,
  identity: Identity,
  generation: Generation,
  protocolName: string | null,
  plan: LeaderPlan | undefined,
  rebalanceTimeoutMs: number,
): Promise<Map<string, readonly number[]> | undefined> {
  const body = {
    groupId: coordinator.groupId,
    generationId: generation.id,
    memberId: generation.memberId,
    protocolType,
    protocolName,
    assignments: plan?.assignments ?? [],
  };
  const timeoutMs = joinTimeoutMs(coordinator, rebalanceTimeoutMs);
  const answer = await coordinator.ask(coordinator.lane.duty, syncGroupApi, body, {
    timeoutMs,
    signal: generation.over,
  });
  switch (answer.errorCode) {
    case ErrorCodes.UNKNOWN_MEMBER_ID:
      identity.memberId = '';
      return undefined;
    case ErrorCodes.ILLEGAL_GENERATION:
    case ErrorCodes.REBALANCE_IN_PROGRESS:
      return undefined;
    default:
      coordinator.check(answer.errorCode, 'SyncGroup');
  }
  const { assignedPartitions } = decodeAssignment(answer.assignment);
  return new Map(assignedPartitions.map(({ topic, partitions }) => [topic, partitions]));
}

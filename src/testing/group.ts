/** One consumer group of the classic protocol: its members, generations and states, as a coordinator keeps them.
 * Not here: keeping committed offsets (group-offsets.ts), which broker coordinates (cluster-state.ts), requests (handlers).
 * Invariant: in PreparingRebalance nobody syncs, in CompletingRebalance everybody has joined, and every join and
 * sync that waits is answered once, by the state machine or by `handOver`.
 * Source: Kafka's GroupMetadataManager and ClassicGroup decide every transition and code (KIP-62, 345, 394).
 */
import type { Platform, Timer } from '../platform.ts';
import type { JoinGroupRequest } from '../protocol/api/11-join-group.ts';
import type { SyncGroupRequest } from '../protocol/api/14-sync-group.ts';
import { ErrorCodes } from '../protocol/error-codes.ts';
import {
  electProtocol,
  isCommonProtocol,
  protocolMetadata,
  sameProtocols,
  type GroupClient,
  type GroupMember,
  type JoinAnswer,
  type Member,
  type SyncAnswer,
} from './group-member.ts';
import { GroupOffsets } from './group-offsets.ts';
import { randomHexUuid } from './uuid.ts';

/** Kafka's names of the states; a group that is gone is `Dead`. */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable';

const noBytes = new Uint8Array(0);
const newMemberJoinTimeoutMs = 300_000;

/** A group. `initialDelayMs` is how long the first join waits for others (`group.initial.rebalance.delay.ms`). */
export class Group {
  readonly groupId: string;
  readonly offsets: GroupOffsets = new GroupOffsets();
  state: GroupState = 'Empty';
  generation = 0;
  protocolType: string | null = null;
  protocol: string | null = null;
  leader: string | null = null;
  readonly #platform: Platform;
  readonly #initialDelayMs: number;
  readonly #members = new Map<string, Member>();
  readonly #staticMembers = new Map<string, string>();
  /** Ids handed out with MEMBER_ID_REQUIRED, until they join. */
  readonly #pending = new Map<string, Timer>();
  /** Members of the generation that have not asked for their assignment. */
  readonly #unsynced = new Set<string>();
  #joinTimer: Timer | undefined;
  #syncTimer: Timer | undefined;
  /** Whether PreparingRebalance began in Empty: then the timer ends it, not the last join. */
  #isInitial = false;
  #hasNewMember = false;

  constructor(groupId: string, platform: Platform, initialDelayMs: number) {
    this.groupId = groupId;
    this.#platform = platform;
    this.#initialDelayMs = initialDelayMs;
  }

  /** Members in the order they came. */
  get members(): GroupMember[] {
    return Array.from(this.#members.values(), (member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      metadata: protocolMetadata(member, this.protocol),
      assignment: member.assignment,
    }));
  }

  /** Takes a member in; the promise waits for the others. */
  join(request: JoinGroupRequest, client: GroupClient): JoinAnswer | Promise<JoinAnswer> {
    const { memberId, groupInstanceId } = request;
    if (!this.#supports(request)) return refusedJoin(memberId, ErrorCodes.INCONSISTENT_GROUP_PROTOCOL);
    if (memberId === '') return this.#joinNew(request, client);
    if (this.#pending.has(memberId)) return this.#add(memberId, request, client);
    const error = this.#memberError(memberId, groupInstanceId);
    const member = this.#members.get(memberId);
    if (error !== 0 || member === undefined) return refusedJoin(memberId, error);
    if (this.state === 'Empty') return refusedJoin(memberId, ErrorCodes.UNKNOWN_MEMBER_ID);
    const unchanged = sameProtocols(member.protocols, request.protocols);
    // A repeated join changes nothing, except the leader's: that is how it asks for a new assignment.
    const repeated = this.state === 'CompletingRebalance' || this.leader !== memberId;
    if (this.state !== 'PreparingRebalance' && unchanged && repeated) return this.#joined(member);
    return this.#rejoin(member, request);
  }

  /** Gives a member its assignment; the promise waits for the leader's. */
  sync(request: SyncGroupRequest): SyncAnswer | Promise<SyncAnswer> {
    const { memberId, generationId } = request;
    const error = this.#memberError(memberId, request.groupInstanceId, generationId);
    const member = this.#members.get(memberId);
    if (error !== 0 || member === undefined) return { errorCode: error };
    const otherType = request.protocolType !== null && request.protocolType !== this.protocolType;
    const otherName = request.protocolName !== null && request.protocolName !== this.protocol;
    if (otherType || otherName) return { errorCode: ErrorCodes.INCONSISTENT_GROUP_PROTOCOL };
    if (this.state === 'PreparingRebalance') return { errorCode: ErrorCodes.REBALANCE_IN_PROGRESS };
    this.#unsynced.delete(memberId);
    if (this.state === 'Stable') return this.#synced(member);
    return new Promise((resolve) => {
      member.syncing = resolve;
      if (memberId === this.leader) this.#assign(request.assignments);
    });
  }

  /** A sign of life: 0 or the error code. */
  heartbeat(memberId: string, instanceId: string | null, generation: number): number {
    const error = this.#memberError(memberId, instanceId, generation);
    if (error !== 0) return error;
    this.touch(memberId);
    return this.state === 'PreparingRebalance' ? ErrorCodes.REBALANCE_IN_PROGRESS : 0;
  }

  /** Removes members, by id or by instance id alone; the error codes in the same order. */
  leave(identities: readonly { memberId: string; groupInstanceId: string | null }[]): number[] {
    const codes = identities.map(({ memberId, groupInstanceId }) => {
      if (this.#cancelPending(memberId)) return 0;
      const byInstance = memberId === '' && groupInstanceId !== null;
      const id = byInstance ? (this.#staticMembers.get(groupInstanceId) ?? '') : memberId;
      const error = this.#memberError(id, byInstance ? null : groupInstanceId);
      if (error === 0) this.#remove(id);
      return error;
    });
    if (codes.includes(0) && this.state !== 'Empty') this.#rebalanceOrComplete();
    return codes;
  }

  /** Whether offsets may be committed: 0 or the error code. */
  commitError(memberId: string, instanceId: string | null, generation: number): number {
    if (generation < 0 && this.state === 'Empty') return 0;
    if (generation < 0 && memberId === '' && instanceId === null) return ErrorCodes.UNKNOWN_MEMBER_ID;
    const error = this.#memberError(memberId, instanceId, generation);
    if (error !== 0) return error;
    return this.state === 'CompletingRebalance' ? ErrorCodes.REBALANCE_IN_PROGRESS : 0;
  }

  /** Whether offsets may be committed in a transaction: 0 or the error code. Who names no member is not checked (KIP-447). */
  transactionalCommitError(memberId: string, instanceId: string | null, generation: number): number {
    const namesMember = generation >= 0 || memberId !== '' || instanceId !== null;
    if (!namesMember || (generation < 0 && this.state === 'Empty')) return 0;
    return this.#memberError(memberId, instanceId, generation);
  }

  /** Begins the member's session anew. */
  touch(memberId: string): void {
    const member = this.#members.get(memberId);
    if (member !== undefined) this.#startSession(member, member.sessionTimeoutMs);
  }

  /** Another broker takes the group over: what waits is answered NOT_COORDINATOR, and a rebalance begins again. */
  handOver(): void {
    for (const member of this.#members.values()) {
      this.#answerJoin(member, refusedJoin(member.memberId, ErrorCodes.NOT_COORDINATOR));
      this.#answerSync(member, { errorCode: ErrorCodes.NOT_COORDINATOR });
      this.touch(member.memberId);
    }
    if (this.state !== 'Empty' && this.state !== 'Stable') this.#prepareRebalance();
  }

  /** Stops every timer; the group is not used again. */
  close(): void {
    for (const { session } of this.#members.values()) session?.cancel();
    for (const timer of this.#pending.values()) timer.cancel();
    this.#joinTimer?.cancel();
    this.#syncTimer?.cancel();
  }

  #joinNew(request: JoinGroupRequest, client: GroupClient): JoinAnswer | Promise<JoinAnswer> {
    const { groupInstanceId } = request;
    const memberId = `${groupInstanceId ?? client.clientId}-${randomHexUuid(this.#platform)}`;
    if (groupInstanceId !== null) {
      const previous = this.#members.get(this.#staticMembers.get(groupInstanceId) ?? '');
      if (previous === undefined) return this.#add(memberId, request, client);
      return this.#replace(previous, memberId, request, client.apiVersion);
    }
    if (client.apiVersion < 4) return this.#add(memberId, request, client);
    const expire = (): void => this.#expire(memberId);
    this.#pending.set(memberId, this.#platform.setTimer(request.sessionTimeoutMs, expire));
    return refusedJoin(memberId, ErrorCodes.MEMBER_ID_REQUIRED);
  }

  #add(memberId: string, request: JoinGroupRequest, client: GroupClient): Promise<JoinAnswer> {
    this.#cancelPending(memberId);
    const { groupInstanceId: instanceId, sessionTimeoutMs } = request;
    return new Promise((resolve) => {
      const member: Member = {
        memberId,
        instanceId,
        clientId: client.clientId,
        clientHost: client.clientHost,
        sessionTimeoutMs,
        rebalanceTimeoutMs: rebalanceTimeout(request),
        protocols: request.protocols,
        assignment: noBytes,
        joining: resolve,
        syncing: undefined,
        isNew: true,
        session: undefined,
      };
      if (this.#members.size === 0) this.protocolType = request.protocolType;
      this.leader ??= memberId;
      this.#members.set(memberId, member);
      if (instanceId !== null) this.#staticMembers.set(instanceId, memberId);
      this.#hasNewMember = true;
      this.#startSession(member, newMemberJoinTimeoutMs);
      this.#rebalanceOrComplete();
    });
  }

  #rejoin(member: Member, request: JoinGroupRequest): Promise<JoinAnswer> {
    return new Promise((resolve) => {
      this.#update(member, request, resolve);
      this.#rebalanceOrComplete();
    });
  }

  /** A static member came back without its id: it takes the old one's place, whose requests are fenced (KIP-345). */
  #replace(
    old: Member,
    memberId: string,
    request: JoinGroupRequest,
    apiVersion: number,
  ): JoinAnswer | Promise<JoinAnswer> {
    this.#answerJoin(old, refusedJoin(old.memberId, ErrorCodes.FENCED_INSTANCE_ID));
    this.#answerSync(old, { errorCode: ErrorCodes.FENCED_INSTANCE_ID });
    old.session?.cancel();
    const member: Member = { ...old, memberId };
    this.#members.delete(old.memberId);
    this.#members.set(memberId, member);
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, memberId);
    const previousLeader = this.leader ?? '';
    if (previousLeader === old.memberId) this.leader = memberId;
    this.#update(member, request, undefined);
    this.touch(memberId);
    if (this.state === 'Stable' && electProtocol([...this.#members.values()]) === this.protocol) {
      // The assignment stands. A leader is told not to make a new one (KIP-814), an old one that it does not lead.
      const answer = this.#joined(member);
      if (apiVersion < 9) return { ...answer, leader: previousLeader, members: [] };
      return { ...answer, skipAssignment: this.leader === memberId };
    }
    return new Promise((resolve) => {
      member.joining = resolve;
      this.#rebalanceOrComplete();
    });
  }

  #update(member: Member, request: JoinGroupRequest, joining: Member['joining']): void {
    member.protocols = request.protocols;
    member.rebalanceTimeoutMs = rebalanceTimeout(request);
    member.sessionTimeoutMs = request.sessionTimeoutMs;
    member.joining = joining;
  }

  #rebalanceOrComplete(): void {
    if (this.state !== 'PreparingRebalance') this.#prepareRebalance();
    else if (!this.#isInitial && this.#haveAllJoined()) this.#completeJoin();
  }

  #prepareRebalance(): void {
    for (const member of this.#members.values()) {
      if (this.#answerSync(member, { errorCode: ErrorCodes.REBALANCE_IN_PROGRESS }))
        this.touch(member.memberId);
    }
    this.#unsynced.clear();
    this.#syncTimer?.cancel();
    this.#isInitial = this.state === 'Empty';
    this.#hasNewMember = false;
    this.state = 'PreparingRebalance';
    const rebalanceTimeoutMs = this.#rebalanceTimeoutMs();
    if (this.#isInitial)
      this.#waitForMore(this.#initialDelayMs, Math.max(rebalanceTimeoutMs - this.#initialDelayMs, 0));
    else if (this.#haveAllJoined()) this.#completeJoin();
    else this.#joinWithin(rebalanceTimeoutMs);
  }

  /** The first rebalance of an empty group goes on waiting while members come, up to its rebalance timeout. */
  #waitForMore(delayMs: number, remainingMs: number): void {
    this.#joinTimer?.cancel();
    this.#joinTimer = this.#platform.setTimer(delayMs, () => {
      if (!this.#hasNewMember || remainingMs === 0) {
        this.#completeJoin();
        return;
      }
      this.#hasNewMember = false;
      this.#waitForMore(Math.min(this.#initialDelayMs, remainingMs), Math.max(remainingMs - delayMs, 0));
    });
  }

  #joinWithin(timeoutMs: number): void {
    this.#joinTimer?.cancel();
    this.#joinTimer = this.#platform.setTimer(timeoutMs, () => this.#completeJoin());
  }

  /** Ends PreparingRebalance: who has not joined again is out, everybody else gets the new generation. */
  #completeJoin(): void {
    this.#joinTimer?.cancel();
    for (const { memberId, instanceId, joining } of this.#members.values()) {
      if (joining === undefined && instanceId === null) this.#remove(memberId);
    }
    if (!this.#electLeader()) {
      // Only static members are left and none has come: their sessions decide.
      this.#joinWithin(this.#rebalanceTimeoutMs());
      return;
    }
    this.generation++;
    this.#unsynced.clear();
    if (this.#members.size === 0) {
      this.state = 'Empty';
      this.protocol = null;
      return;
    }
    this.protocol = electProtocol([...this.#members.values()]);
    this.state = 'CompletingRebalance';
    for (const member of this.#members.values()) {
      this.#answerJoin(member, this.#joined(member));
      this.touch(member.memberId);
      member.isNew = false;
      this.#unsynced.add(member.memberId);
    }
    this.#syncTimer?.cancel();
    this.#syncTimer = this.#platform.setTimer(this.#rebalanceTimeoutMs(), () => this.#expireUnsynced());
  }

  /** Makes sure that a member which joined leads. False when there are members and none of them has joined. */
  #electLeader(): boolean {
    if (this.#members.size === 0 || this.#members.get(this.leader ?? '')?.joining !== undefined) return true;
    for (const { memberId, joining } of this.#members.values()) {
      if (joining === undefined) continue;
      this.leader = memberId;
      return true;
    }
    return false;
  }

  #assign(assignments: SyncGroupRequest['assignments']): void {
    const byMember = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]));
    this.state = 'Stable';
    for (const member of this.#members.values()) {
      member.assignment = byMember.get(member.memberId) ?? noBytes;
      if (this.#answerSync(member, this.#synced(member))) this.touch(member.memberId);
    }
  }

  #expireUnsynced(): void {
    if (this.#unsynced.size === 0) return;
    for (const memberId of this.#unsynced) this.#remove(memberId);
    this.#prepareRebalance();
  }

  #startSession(member: Member, timeoutMs: number): void {
    member.session?.cancel();
    member.session = this.#platform.setTimer(timeoutMs, () => this.#expire(member.memberId));
  }

  #expire(memberId: string): void {
    const member = this.#members.get(memberId);
    if (member === undefined) {
      this.#cancelPending(memberId);
    } else {
      const waits = member.joining !== undefined || member.syncing !== undefined;
      if (waits && !member.isNew) return;
      this.#remove(memberId);
    }
    if (this.state === 'PreparingRebalance') {
      if (this.#haveAllJoined()) this.#completeJoin();
    } else if (member !== undefined) this.#prepareRebalance();
  }

  /** Takes a member out; what it waits for is answered UNKNOWN_MEMBER_ID. */
  #remove(memberId: string): void {
    const member = this.#members.get(memberId);
    if (member === undefined) return;
    this.#answerJoin(member, refusedJoin('', ErrorCodes.UNKNOWN_MEMBER_ID));
    this.#answerSync(member, { errorCode: ErrorCodes.UNKNOWN_MEMBER_ID });
    member.session?.cancel();
    this.#members.delete(memberId);
    this.#unsynced.delete(memberId);
    if (member.instanceId !== null) this.#staticMembers.delete(member.instanceId);
    if (this.leader === memberId) this.leader = this.#members.keys().next().value ?? null;
  }

  #cancelPending(memberId: string): boolean {
    this.#pending.get(memberId)?.cancel();
    return this.#pending.delete(memberId);
  }

  #answerJoin(member: Member, answer: JoinAnswer): void {
    const { joining } = member;
    member.joining = undefined;
    joining?.(answer);
  }

  #answerSync(member: Member, answer: SyncAnswer): boolean {
    const { syncing } = member;
    member.syncing = undefined;
    syncing?.(answer);
    return syncing !== undefined;
  }

  #joined(member: Member): JoinAnswer {
    const isLeader = member.memberId === this.leader;
    return {
      generationId: this.generation,
      protocolType: this.protocolType,
      protocolName: this.protocol,
      leader: this.leader ?? '',
      memberId: member.memberId,
      members: isLeader
        ? Array.from(this.#members.values(), (other) => ({
            memberId: other.memberId,
            groupInstanceId: other.instanceId,
            metadata: protocolMetadata(other, this.protocol),
          }))
        : [],
    };
  }

  #synced(member: Member): SyncAnswer {
    return { protocolType: this.protocolType, protocolName: this.protocol, assignment: member.assignment };
  }

  #memberError(memberId: string, instanceId: string | null, generation: number = this.generation): number {
    if (instanceId !== null) {
      const known = this.#staticMembers.get(instanceId);
      if (known === undefined) return ErrorCodes.UNKNOWN_MEMBER_ID;
      if (known !== memberId) return ErrorCodes.FENCED_INSTANCE_ID;
    }
    if (!this.#members.has(memberId)) return ErrorCodes.UNKNOWN_MEMBER_ID;
    return generation === this.generation ? 0 : ErrorCodes.ILLEGAL_GENERATION;
  }

  #supports({ protocolType, protocols }: JoinGroupRequest): boolean {
    if (this.state === 'Empty') return protocolType !== '' && protocols.length > 0;
    return (
      protocolType === this.protocolType &&
      protocols.some(({ name }) => isCommonProtocol(this.#members.values(), name))
    );
  }

  #haveAllJoined(): boolean {
    return (
      this.#pending.size === 0 && [...this.#members.values()].every((member) => member.joining !== undefined)
    );
  }

  #rebalanceTimeoutMs(): number {
    let longest = 0;
    for (const { rebalanceTimeoutMs } of this.#members.values())
      longest = Math.max(longest, rebalanceTimeoutMs);
    return longest;
  }
}

/** The answer to a join that fails. */
export function refusedJoin(memberId: string, errorCode: number): JoinAnswer {
  return { memberId, errorCode };
}

/** Version 0 has only the session timeout. */
function rebalanceTimeout({ rebalanceTimeoutMs, sessionTimeoutMs }: JoinGroupRequest): number {
  return rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs;
}

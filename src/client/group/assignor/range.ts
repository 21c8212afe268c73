/** Kafka's range assignor: per topic, members in order take consecutive partitions, the first ones one more.
 * Where members name racks, topics that share their members and their partition count are first dealt out together by
 * rack (KIP-881), so that a partition number stays with one member over all of them. Decides as Java's does, case by case.
 * Source: Kafka's `RangeAssignor`; compared with its answers in fixtures/assignors/range.json.
 */
import type { Assignor, AssignorMember, AssignorTopic } from './assignor.ts';

/** What is left to give of one topic. */
interface TopicState {
  readonly topic: AssignorTopic;
  /** Subscribers in the order of dealing. */
  readonly members: readonly AssignorMember[];
  readonly unassigned: Set<number>;
  /** Partitions given so far, by member id. */
  readonly given: Map<string, number>;
  /** Every member's share, rounded down. */
  readonly share: number;
  /** Members that may still take one more than the share. */
  extra: number;
  readonly byRack: boolean;
}

type Assigned = Map<string, Map<string, number[]>>;

/** Static members come first, by instance id; the others by member id; UTF-16 order, as Java compares strings. */
function compareMembers(a: AssignorMember, b: AssignorMember): number {
  if ((a.instanceId === null) !== (b.instanceId === null)) return a.instanceId === null ? 1 : -1;
  const left = a.instanceId ?? a.memberId;
  const right = b.instanceId ?? b.memberId;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Racks help when members and replicas have one in common and the partitions differ in theirs. */
function racksDecide(members: readonly AssignorMember[], topic: AssignorTopic): boolean {
  const all = new Set(topic.partitionRacks.flat());
  if (!members.some((member) => member.rack !== null && all.has(member.rack))) return false;
  return topic.partitionRacks.some((racks) => new Set(racks).size !== all.size);
}

function topicState(topic: AssignorTopic, members: readonly AssignorMember[]): TopicState {
  const count = topic.partitionRacks.length;
  return {
    topic,
    members,
    unassigned: new Set(topic.partitionRacks.keys()),
    given: new Map(),
    share: Math.floor(count / members.length),
    extra: count % members.length,
    byRack: racksDecide(members, topic),
  };
}

function racksMatch(state: TopicState, member: AssignorMember, partition: number): boolean {
  return !member.rack || state.topic.partitionRacks[partition]?.includes(member.rack) === true;
}

/** How many more partitions the member may take. */
function room(state: TopicState, member: AssignorMember): number {
  return Math.max(0, state.share + (state.extra > 0 ? 1 : 0) - (state.given.get(member.memberId) ?? 0));
}

function give(
  state: TopicState,
  member: AssignorMember,
  partitions: readonly number[],
  assigned: Assigned,
): void {
  const topics = assigned.get(member.memberId);
  const owned = topics?.get(state.topic.name);
  if (owned === undefined) topics?.set(state.topic.name, [...partitions]);
  else owned.push(...partitions);
  for (const partition of partitions) state.unassigned.delete(partition);
  const given = (state.given.get(member.memberId) ?? 0) + partitions.length;
  state.given.set(member.memberId, given);
  if (given > state.share) state.extra--;
}

/** Deals out one topic's unassigned partitions; with `byRack` only to members in a replica's rack, or without one. */
function dealRanges(state: TopicState, byRack: boolean, assigned: Assigned): void {
  for (const member of state.members) {
    const fitting = [...state.unassigned].filter(
      (partition) => !byRack || racksMatch(state, member, partition),
    );
    const partitions = fitting.slice(0, room(state, member));
    if (partitions.length > 0) give(state, member, partitions, assigned);
  }
}

/** Gives a partition number of all the topics to the first member whose rack has a replica of each of them. */
function dealTogether(
  states: readonly TopicState[],
  members: readonly AssignorMember[],
  assigned: Assigned,
): void {
  const remaining = new Set(members);
  const count = states[0]?.topic.partitionRacks.length ?? 0;
  for (let partition = 0; partition < count; partition++) {
    for (const member of remaining) {
      if (!states.every((state) => racksMatch(state, member, partition) && room(state, member) > 0)) continue;
      for (const state of states) give(state, member, [partition], assigned);
      if (!states.some((state) => room(state, member) > 0)) remaining.delete(member);
      break;
    }
  }
}

function dealByRack(states: readonly TopicState[], assigned: Assigned): void {
  const groups = new Map<string, TopicState[]>();
  for (const state of states) {
    const ids = state.members.map((member) => member.memberId);
    const key = JSON.stringify([state.topic.partitionRacks.length, ...ids]);
    groups.set(key, [...(groups.get(key) ?? []), state]);
  }
  for (const group of groups.values()) {
    const first = group[0];
    if (first === undefined) continue;
    if (group.length > 1) dealTogether(group, first.members, assigned);
    else if (first.byRack) dealRanges(first, true, assigned);
  }
}

/** The default assignor, equal to Java's. Kafka: `partition.assignment.strategy` `RangeAssignor`. */
export const rangeAssignor: Assignor = {
  name: 'range',
  assign(members, topics) {
    const assigned: Assigned = new Map(members.map((member) => [member.memberId, new Map()]));
    const ordered = [...members].sort(compareMembers);
    const states: TopicState[] = [];
    for (const topic of topics.values()) {
      const subscribers = ordered.filter((member) => member.topics.includes(topic.name));
      if (subscribers.length > 0 && topic.partitionRacks.length > 0)
        states.push(topicState(topic, subscribers));
    }
    if (states.some((state) => state.byRack)) dealByRack(states, assigned);
    for (const state of states) dealRanges(state, false, assigned);
    for (const owned of assigned.values())
      for (const partitions of owned.values()) partitions.sort((a, b) => a - b);
    return assigned;
  },
};

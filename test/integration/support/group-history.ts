/**
 * What the members of a group did, as one append-only file, and what must hold of it. Every entry is appended before
 * anything follows from it (a read before its commit) or after it was seen (a committed offset), so the order of the lines
 * is an order of events. The check is a single pass and knows nothing of the client.
 */

/** How a member reads: batches that it commits one by one, or `for await` with commits by interval. */
export type Way = 'batch' | 'loop';

/** What programs/group-member.ts is told. */
export interface MemberOptions {
  readonly member: string;
  readonly way: Way;
  readonly brokers: readonly string[];
  readonly groupId: string;
  readonly topic: string;
  readonly sessionTimeoutMs: number;
  /** Path of the history. */
  readonly history: string;
}

/** What a member says when it has joined. */
export interface JoinedLine {
  readonly member: string;
  readonly generation: number;
  readonly partitions: number;
}

/** A member was given records, `values[0]` at `offset` and the others behind it. */
export interface ReadEntry {
  readonly kind: 'read';
  readonly member: string;
  readonly generation: number;
  /** How often the member has joined: it may lose its partitions and join the same generation again. */
  readonly joins: number;
  readonly partition: number;
  readonly offset: number;
  readonly values: readonly string[];
  readonly time: number;
}

/** The broker named this as the group's committed offset. */
export interface CommittedEntry {
  readonly kind: 'committed';
  readonly partition: number;
  readonly offset: number;
  readonly time: number;
}

/** What the pass found out. */
export interface HistoryReport {
  /** Sentences about what must not be; the first 20. */
  readonly anomalies: readonly string[];
  /** By partition: up to where everything was read, and committed. */
  readonly read: readonly number[];
  readonly committed: readonly number[];
  /** Records that were read more than once. */
  readonly repeated: number;
  /** Members that read something, by generation. */
  readonly readers: ReadonlyMap<number, ReadonlySet<string>>;
}

/** Checks a history against the log: `log[partition][offset]` is the value stored there. */
export function checkHistory(text: string, log: readonly (readonly string[])[]): HistoryReport {
  const anomalies: string[] = [];
  const read = log.map(() => 0);
  const committed = log.map(() => 0);
  const owners = new Map<string, string>();
  const positions = new Map<string, number>();
  const readers = new Map<number, Set<string>>();
  let repeated = 0;
  const found = (what: string): void => {
    if (anomalies.length < 20) anomalies.push(what);
  };

  for (const line of text.split('\n').slice(0, -1)) {
    const entry = JSON.parse(line) as ReadEntry | CommittedEntry;
    const { partition, offset } = entry;
    const readTo = read[partition] ?? 0;
    const committedTo = committed[partition] ?? 0;
    if (entry.kind === 'committed') {
      if (offset > readTo) found(`committed beyond what was read (${readTo}): ${line}`);
      if (offset < committedTo) found(`committed offset went back from ${committedTo}: ${line}`);
      committed[partition] = offset;
      continue;
    }
    const { member, generation, joins, values } = entry;
    const ownership = `${generation} ${partition}`;
    const owner = owners.get(ownership) ?? member;
    if (owner !== member) found(`${owner} reads this partition in the same generation: ${line}`);
    const stay = `${member} ${joins} ${partition}`;
    const position = positions.get(stay);
    if (position === undefined) {
      if (offset > readTo) found(`skipped from ${readTo}: ${line}`);
      if (offset < committedTo) found(`read again below the committed ${committedTo}: ${line}`);
    } else if (position !== offset) found(`the position was ${position}: ${line}`);
    if (values.some((value, index) => value !== log[partition]?.[offset + index]))
      found(`other values in the log: ${line}`);
    const end = offset + values.length;
    owners.set(ownership, owner);
    positions.set(stay, end);
    readers.set(generation, (readers.get(generation) ?? new Set()).add(member));
    repeated += Math.max(0, Math.min(end, readTo) - offset);
    read[partition] = Math.max(readTo, end);
  }
  return { anomalies, read, committed, repeated, readers };
}

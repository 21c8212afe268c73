/** A group's reader as the source of transactions: whose offsets a transaction may commit, and the way back after one
 * that was not committed.
 * Not here: the transaction (client/writer).
 * Invariants: nothing is committed that was handed out before a partition was revoked, or before a way back that has not
 * been gone to its end (R3); on the way back nothing is handed out.
 */
import { KafkaError } from '../../errors.ts';
import { repeat, type GroupMetadata, type TopicPartition, type TransactionSource } from '../cluster/index.ts';
import { nameOf, type AssignedPartition } from '../fetch/index.ts';
import type { Commits } from './commits.ts';
import type { Handout } from './handout.ts';
import { partitionKey, type Membership } from './membership.ts';
import type { Platform } from '../../platform.ts';

/** What a source is part of. */
export interface SourceContext {
  readonly platform: Platform;
  readonly membership: Membership;
  readonly handout: Handout;
  readonly commits: Commits;
}

/** Milliseconds for asking where the group stands. Kafka: `default.api.timeout.ms`. */
const limitMs = 60_000;

/** What a transaction asks of a reader. */
export class Source implements TransactionSource {
  readonly #context: SourceContext;
  /** Partitions of which records were handed out that nobody may commit any more. */
  readonly #broken = new Set<string>();
  #rewinding: Promise<void> | undefined;

  constructor(context: SourceContext) {
    this.#context = context;
    context.membership.onGivenUp = (owners) => {
      for (const owner of owners) if (owner.handedOut > owner.done) this.#broken.add(partitionKey(owner));
    };
  }

  groupMetadata(): GroupMetadata {
    return this.#context.membership.session.metadata();
  }

  assertOwned<T extends TopicPartition & { readonly offset: number }>(offsets: readonly T[]): readonly T[] {
    const { membership, commits } = this.#context;
    commits.isSource = true;
    const owned = offsets.map((each) => ({ each, owner: membership.owner(each) }));
    const known: { readonly each: T; readonly owner: AssignedPartition }[] = [];
    for (const { each, owner } of owned) {
      const isOurs = owner !== undefined && !this.#broken.has(partitionKey(each));
      if (!isOurs || each.offset > Math.max(owner.handedOut, owner.position)) {
        const text = `${nameOf(each)} at ${each.offset} is not this member's to commit: it was revoked since, or not handed out`;
        throw new KafkaError(text, { code: 'FENCED', retriable: true });
      }
      known.push({ each, owner });
    }
    const toCommit: T[] = [];
    for (const { each, owner } of known) {
      owner.done = Math.max(owner.done, each.offset);
      const isAll = each.offset >= owner.handedOut;
      toCommit.push(isAll ? { ...each, offset: Math.max(each.offset, owner.position) } : each);
    }
    return toCommit;
  }

  /** Calls share one way back. */
  rewindToCommitted(): Promise<void> {
    return (this.#rewinding ??= this.#rewind().finally(() => {
      this.#rewinding = undefined;
    }));
  }

  async #rewind(): Promise<void> {
    const { platform, membership, handout } = this.#context;
    const held = [...membership.owned].filter(({ began }) => began >= 0);
    for (const owner of held) {
      this.#broken.add(partitionKey(owner));
      handout.hold(owner);
    }
    const patience = { deadlineMs: platform.monotonicNow() + limitMs, signal: membership.life };
    const failed = 'Going back to the committed offsets did not succeed';
    try {
      await repeat(platform, failed, patience, async () => {
        // Who owns one that was revoked meanwhile asks anew.
        const owners = held.filter(({ assigned }) => assigned);
        if (owners.length === 0) return;
        const committed = await membership.session.committed(owners, patience);
        for (const [index, owner] of owners.entries()) {
          const offset = committed[index]?.offset ?? -1;
          owner.refusal = undefined;
          handout.rewind(owner, offset < 0 ? owner.began : offset);
        }
      });
      this.#broken.clear();
    } catch (error) {
      const refusal = error instanceof KafkaError ? error : new KafkaError(String(error), { cause: error });
      for (const owner of held) owner.refusal = refusal;
      throw error;
    } finally {
      handout.wake();
    }
  }
}

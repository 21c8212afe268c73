/** The shapes of the overlay's notes, and the phrases that several of its files share.
 * It holds words only; index.ts merges the notes, and the generator reads them there.
 */

/** Notes on one API. */
export interface ApiNotes {
  /** What the API does: the doc comment of its constant. */
  readonly about: string;
  /** What the versions changed, in order, for the file's header. Sentences; every fact with its KIP where there is one. */
  readonly history: string;
  /** Docs of fields by path, such as `FetchRequest.topics.partitions.fetchOffset`. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Paths of int64 fields that are bigint. Producer ids, and defaults beyond 2^53 - 1, are so without being named. */
  readonly bigints?: readonly string[];
}

/** Notes on one message that is no request or response: a header, a record of an internal topic, a control record. */
export interface MessageNotes {
  /** What the message is and where its bytes lie: one sentence. */
  readonly about: string;
  /** What the versions changed; absent if there is one version, or nothing is known. */
  readonly history?: string;
  /** As in `ApiNotes`, by paths such as `GroupMetadataValue.members.subscription`. */
  readonly fields?: Readonly<Record<string, string>>;
  /** As in `ApiNotes`. */
  readonly bigints?: readonly string[];
}

/** Notes by API name. */
export type ApiOverlay = Readonly<Record<string, ApiNotes>>;

/** Notes by message name. */
export type MessageOverlay = Readonly<Record<string, MessageNotes>>;

/** A `replicaId` of requests that followers and clients share. */
export const REPLICA = "A follower's broker id; a client sends -1.";

/** A list that asks for everything if it is null. */
export const NULL_ASKS_FOR_ALL = 'Null asks for all.';

/** A field of a heartbeat that is repeated only when it changed. */
export const UNCHANGED_NULL = 'Null: as before.';

/** A duration of a heartbeat that is repeated only when it changed. */
export const UNCHANGED_MINUS_ONE = '-1: as before.';

/** Where the messages of a call went; types only, the answers are computed when asked for (call.ts). */

/** Where one message went. */
export interface WrittenMessage {
  readonly topic: string;
  /** -1 when the message failed before it had one. */
  readonly partition: number;
  /** Undefined when it was not written, with `requiredAcks: 0`, and when the broker knows only that it has the message
   * (DUPLICATE_SEQUENCE_NUMBER). */
  readonly offset: number | undefined;
  /** Milliseconds since 1970 as the log has it; undefined when it was not written. */
  readonly timestamp: number | undefined;
}

/** Where the messages of a call went, in their order. */
export interface WriteReceipt {
  readonly length: number;
  /** Throws a `UsageError` beyond `length`. */
  at(index: number): WrittenMessage;
}

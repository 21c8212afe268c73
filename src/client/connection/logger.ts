/** Where the client reports what it heals by itself; silent unless the application passes one.
 * Not for errors that reach the caller: those are thrown. Never carries a key, a value or a secret.
 */

/** What a line is about, such as `{ topic, partition, address }`. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Receives one line an event; `console` fits. A level that is left out is dropped. */
export interface Logger {
  debug?(message: string, fields?: LogFields): void;
  info?(message: string, fields?: LogFields): void;
  warn?(message: string, fields?: LogFields): void;
  error?(message: string, fields?: LogFields): void;
}

/** The default: says nothing. */
export const silentLogger: Logger = {};

/** The tracing functions of the library as `decode` uses them: every codec inflates, internal topics are read.
 * Not here: what a trace is (kafka-wire/protocol).
 */
import { inflateSync } from 'kafka-wire/compression';
import { traceRecords, type Trace, type TraceOptions } from 'kafka-wire/protocol';
import { internalTopics } from 'kafka-wire/protocol/registry';

/** Most bytes that are inflated of one frame or batch: its tree takes many times as much. */
const MAX_INFLATED_BYTES = 0x400_0000;

/** How deep traces look. */
export const traceOptions: TraceOptions = {
  inflate: inflateSync,
  maxInflatedBytes: MAX_INFLATED_BYTES,
  recordTypes: internalTopics,
};

/** Batches of a log, back to back. */
export function traceBatches(bytes: Uint8Array, topic: string | undefined): Trace {
  return traceRecords(bytes, { ...traceOptions, topic });
}

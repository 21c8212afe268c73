/** The records of a batch, inflated. Not here: codecs (compression).
 * Invariant: no more than `maxInflatedBytes` come out of one batch.
 */
import { codecById } from '../compression/codec.ts';
import { codecsOf } from '../compression/codecs.ts';
import type { Platform } from '../platform.ts';
import type { RecordBatch } from '../protocol/records/batch.ts';

const maxInflatedBytes = 67_108_864;

/** The batch's records as bytes for a RecordCursor. Throws or rejects with a ProtocolError: `UNSUPPORTED_VERSION` for a
 * codec that Kafka does not have, else what the codec says of damaged bytes.
 */
export function inflate(platform: Platform, batch: RecordBatch): Uint8Array | Promise<Uint8Array> {
  const { codecId, payload } = batch;
  if (codecId === 0) return payload;
  return codecById(codecsOf(platform), codecId).decompress(payload, { maxBytes: maxInflatedBytes });
}

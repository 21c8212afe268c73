/** Byte positions of the fields of a record batch's header.
 * Import it as a whole, `import * as at`; bundlers then put the numbers in the places of the names.
 * Source: Kafka's documentation, "Message format".
 */

/** int64: offset of the first record. */
export const baseOffset = 0;
/** int32: bytes behind this field. */
export const batchLength = 8;
/** int32: epoch of the leader that appended the batch. */
export const partitionLeaderEpoch = 12;
/** int8: format of the batch. */
export const magic = 16;
/** uint32: CRC-32C of everything behind this field. */
export const crc = 17;
/** int16: the bits that batch.ts names. */
export const attributes = 21;
/** int32: offset of the last record, from `baseOffset`. */
export const lastOffsetDelta = 23;
/** int64: timestamp of the first record, ms. */
export const baseTimestamp = 27;
/** int64: highest timestamp of the records, ms. */
export const maxTimestamp = 35;
/** int64: -1 without an idempotent producer, as the next two. */
export const producerId = 43;
/** int16. */
export const producerEpoch = 51;
/** int32: sequence of the first record. */
export const baseSequence = 53;
/** int32: how many records there are. */
export const recordCount = 57;
/** Where the records begin: length of the header. */
export const records = 61;

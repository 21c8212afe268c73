import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;

import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecords.RecordFilter.BatchRetention;
import org.apache.kafka.common.record.internal.MemoryRecords.RecordFilter.BatchRetentionResult;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.internals.AppInfoParser;
import org.apache.kafka.common.utils.internals.ByteUtils;
import org.apache.kafka.common.utils.internals.BufferSupplier;

/**
 * Writes fixtures/records/*.json: record batches v2 as Kafka's own classes write them, each with what the same classes
 * read back from the bytes; and verdicts.json, bytes made by hand with Java's verdict on them.
 * int64 values are strings, bytes are hex. The first argument is the folder to write to.
 */
public final class RecordFixtures {
    private static final long TIME = 1_750_000_000_000L;
    private static final long PRODUCER = 7_000_000_000_000_000_123L;

    private record Batch(String name, String about, MemoryRecords records) {}

    private record RawBatch(String name, String about, int attributes, int lastOffsetDelta, long baseTimestamp, int count, byte[] payload) {}

    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        Files.createDirectories(folder);
        for (Batch batch : batches()) {
            Files.writeString(folder.resolve(batch.name + ".json"), fixture(batch));
        }
        StringBuilder verdicts = new StringBuilder(opening("verdicts", "Bytes made by hand, and whether Java reads them.")).append("  \"cases\": [\n");
        List<String> cases = new ArrayList<>();
        for (RawBatch raw : rawBatches()) cases.add(verdict(raw));
        Files.writeString(folder.resolve("verdicts.json"), verdicts.append(String.join(",\n", cases)).append("\n  ]\n}\n").toString());
    }

    // Batches that Java writes.

    private static List<Batch> batches() {
        List<Batch> all = new ArrayList<>();
        all.add(new Batch("plain", "One record, as a producer without idempotence sends it.",
            MemoryRecords.withRecords(Compression.NONE, record(TIME, "key", "value"))));
        all.add(new Batch("headers", "Headers with repeated, empty and non-ASCII keys, null and empty values.",
            MemoryRecords.withRecords(Compression.NONE,
                new SimpleRecord(TIME, bytes("k"), bytes("v"), new Header[] {
                    new RecordHeader("trace", bytes("abc")), new RecordHeader("trace", bytes("def")),
                    new RecordHeader("", bytes("")), new RecordHeader("ключ", null), new RecordHeader("__proto__", bytes("x".repeat(70))),
                }),
                record(TIME + 1, null, "without headers"))));
        all.add(new Batch("nulls", "Null and empty keys and values in every combination.",
            MemoryRecords.withRecords(Compression.NONE,
                record(TIME, null, null), record(TIME, "", ""), record(TIME, null, ""), record(TIME, "", null), record(TIME, "k", null), record(TIME, null, "v"))));
        all.add(new Batch("timestamps", "Deltas below zero and beyond 32 bits; the highest timestamp is in the middle.",
            MemoryRecords.withRecords(Compression.NONE,
                record(TIME, "a", "1"), record(TIME - 1, "b", "2"), record(TIME - 65, "c", "3"), record(TIME + 63, "d", "4"), record(TIME + 64, "e", "5"),
                record(TIME + 10_000_000_000L, "f", "6"), record(TIME - 10_000_000_000L, "g", "7"), record(0, "h", "8"), record(9_007_199_254_740_991L, "i", "9"), record(TIME, "j", "10"))));
        all.add(new Batch("no-timestamp", "Timestamp -1: none.",
            MemoryRecords.withRecords(Compression.NONE, record(RecordBatch.NO_TIMESTAMP, "a", "1"), record(RecordBatch.NO_TIMESTAMP, "b", "2"))));
        all.add(new Batch("non-ascii", "UTF-8 of 2, 3 and 4 bytes, at lengths where the count of bytes needs one more byte than that of characters.",
            MemoryRecords.withRecords(Compression.NONE,
                record(TIME, "ключ", "значение"), record(TIME, "鍵", "値".repeat(40)), record(TIME, "🔑", "😀".repeat(20)), record(TIME, "é".repeat(40), "é".repeat(63)),
                record(TIME, "ж".repeat(64), "a".repeat(63)), record(TIME, null, "ю".repeat(5000)))));
        all.add(new Batch("sizes", "Keys and values whose lengths are at the edges of varints.",
            MemoryRecords.withRecords(Compression.NONE,
                record(TIME, "k".repeat(63), "v".repeat(64)), record(TIME, "k".repeat(64), "v".repeat(63)), record(TIME, "k", "v".repeat(8191)), record(TIME, "k", "v".repeat(8192)),
                record(TIME, "k".repeat(11), "v".repeat(12)), record(TIME, "k".repeat(12), "v".repeat(13)), record(TIME, "k", "v".repeat(4097)))));
        SimpleRecord[] many = new SimpleRecord[1000];
        for (int i = 0; i < many.length; i++) many[i] = record(TIME + i / 8, null, Integer.toString(i));
        all.add(new Batch("many", "1,000 records: offset deltas of one and two bytes.", MemoryRecords.withRecords(Compression.NONE, many)));
        all.add(new Batch("idempotent", "Of an idempotent producer; sequences wrap after 2147483647.",
            MemoryRecords.withIdempotentRecords(Compression.NONE, PRODUCER, (short) 5, Integer.MAX_VALUE, record(TIME, "a", "1"), record(TIME + 1, "b", "2"))));
        all.add(new Batch("transactional", "Of a transaction, as a broker stored it at offset 1234567890123.",
            MemoryRecords.withTransactionalRecords(1_234_567_890_123L, Compression.NONE, PRODUCER, (short) 32767, 42, 9, record(TIME, "a", "1"), record(TIME + 1, "b", "2"))));
        all.add(new Batch("commit", "The marker of a commit.",
            MemoryRecords.withEndTransactionMarker(77, TIME, 3, PRODUCER, (short) 5, new EndTransactionMarker(ControlRecordType.COMMIT, 11))));
        all.add(new Batch("abort", "The marker of an abort.",
            MemoryRecords.withEndTransactionMarker(78, TIME, 3, PRODUCER, (short) 5, new EndTransactionMarker(ControlRecordType.ABORT, -1))));
        all.add(new Batch("log-append-time", "CreateTime batch that a broker changed to LogAppendTime.", stamped()));
        all.add(new Batch("gzip", "Compressed by gzip.", MemoryRecords.withRecords(Compression.gzip().build(), many[0], record(TIME + 7, "key", "value".repeat(100)), record(TIME - 7, "key", "value".repeat(100)))));
        all.add(new Batch("several", "Three batches one after another, with gaps between their offsets.", several()));
        all.add(new Batch("compacted", "The cleaner took records out, at the beginning, in the middle and at the end.", compacted(Compression.NONE, false)));
        all.add(new Batch("emptied", "The cleaner took out all records and kept the batch.", compacted(Compression.NONE, true)));
        all.add(new Batch("delete-horizon", "The cleaner set the delete horizon: the base timestamp is that, so deltas are below zero.", withDeleteHorizon()));
        all.add(new Batch("far-timestamps", "Timestamps beyond 2^53-1.",
            MemoryRecords.withRecords(Compression.NONE, record(Long.MAX_VALUE, "a", "1"), record(Long.MAX_VALUE - 1, "b", "2"), record(1, "c", "3"), record(9_007_199_254_740_993L, "d", "4"))));
        return all;
    }

    private static MemoryRecords stamped() {
        MemoryRecords records = MemoryRecords.withRecords(20, Compression.NONE, 4, record(TIME, "a", "1"), record(TIME + 5, "b", "2"));
        for (MutableRecordBatch batch : records.batches()) batch.setMaxTimestamp(TimestampType.LOG_APPEND_TIME, TIME + 1000);
        return records;
    }

    private static MemoryRecords several() {
        ByteBuffer all = ByteBuffer.allocate(1024);
        all.put(MemoryRecords.withRecords(0, Compression.NONE, 1, record(TIME, "a", "1"), record(TIME, "b", "2")).buffer());
        all.put(MemoryRecords.withRecords(10, Compression.NONE, 1, record(TIME + 1, "c", "3")).buffer());
        all.put(MemoryRecords.withRecords(11, Compression.gzip().build(), 2, record(TIME + 2, "d", "4".repeat(64))).buffer());
        return MemoryRecords.readableRecords(all.flip());
    }

    private static MemoryRecords compacted(Compression compression, boolean all) {
        MemoryRecords records = MemoryRecords.withIdempotentRecords(100, compression, PRODUCER, (short) 0, 0, 1,
            record(TIME, "a", "1"), record(TIME + 1, "b", "2"), record(TIME + 2, "c", "3"), record(TIME + 3, "d", "4"), record(TIME + 4, "e", "5"));
        return filter(records, record -> !all && (record.offset() == 101 || record.offset() == 103));
    }

    private static MemoryRecords withDeleteHorizon() {
        return filter(MemoryRecords.withRecords(200, Compression.NONE, 1, record(TIME, "a", null), record(TIME + 1, "b", "2"), record(TIME + 2, "c", "3")), record -> record.offset() != 201);
    }

    private static MemoryRecords filter(MemoryRecords records, java.util.function.Predicate<Record> keep) {
        ByteBuffer output = ByteBuffer.allocate(4096);
        var result = records.filterTo(new MemoryRecords.RecordFilter(TIME + 3_600_000, 86_400_000) {
            @Override
            protected BatchRetentionResult checkBatchRetention(RecordBatch batch) {
                return new BatchRetentionResult(BatchRetention.RETAIN_EMPTY, false);
            }

            @Override
            protected boolean shouldRetainRecord(RecordBatch batch, Record record) {
                return keep.test(record);
            }
        }, output, BufferSupplier.NO_CACHING, 0);
        return MemoryRecords.readableRecords(result.outputBuffer().flip());
    }

    // Bytes made by hand.

    private static List<RawBatch> rawBatches() {
        List<RawBatch> all = new ArrayList<>();
        byte[] good = joined(rawRecord(0, 0, 0, 1, 1, 0), rawRecord(0, 1, 1, 1, 1, 0));
        all.add(new RawBatch("good", "What the others differ from.", 0, 1, TIME, 2, good));
        all.add(new RawBatch("unused-attributes", "The batch's unused bits are set.", 0x7f80, 1, TIME, 2, good));
        all.add(new RawBatch("record-attributes", "A record's attributes are set.", 0, 0, TIME, 1, rawRecord(0xff, 0, 0, 1, 1, 0)));
        all.add(new RawBatch("key-length-below-null", "Key length -2.", 0, 0, TIME, 1, rawRecord(0, 0, 0, -2, 1, 0)));
        all.add(new RawBatch("value-length-below-null", "Value length -5.", 0, 0, TIME, 1, rawRecord(0, 0, 0, 1, -5, 0)));
        all.add(new RawBatch("header-count-negative", "", 0, 0, TIME, 1, rawRecord(0, 0, 0, 1, 1, -1)));
        all.add(new RawBatch("header-count-too-high", "", 0, 0, TIME, 1, rawRecord(0, 0, 0, 1, 1, 100)));
        all.add(new RawBatch("header-count-without-bytes", "One header, of which there is no byte.", 0, 0, TIME, 1, rawRecord(0, 0, 0, 1, 1, 1)));
        all.add(new RawBatch("header-key-null", "Header key length -1.", 0, 0, TIME, 1, rawRecord(0, 0, 0, 1, 1, 1, 0x01, 0x02, 0x61)));
        all.add(new RawBatch("header-key-invalid-utf-8", "", 0, 0, TIME, 1, rawRecord(0, 0, 0, 1, 1, 1, 0x06, 0x61, 0xff, 0xfe, 0x02, 0x61)));
        all.add(new RawBatch("header-value-length-below-null", "Header value length -2.", 0, 0, TIME, 1, rawRecord(0, 0, 0, 1, 1, 1, 0x02, 0x61, 0x03)));
        all.add(new RawBatch("count-zero-with-payload", "", 0, 1, TIME, 0, good));
        all.add(new RawBatch("count-negative", "", 0, 1, TIME, -1, good));
        all.add(new RawBatch("count-too-high", "3 where 2 lie.", 0, 2, TIME, 3, good));
        all.add(new RawBatch("count-too-low", "1 where 2 lie.", 0, 1, TIME, 1, good));
        all.add(new RawBatch("count-huge", "2147483647 where 2 lie.", 0, Integer.MAX_VALUE - 1, TIME, Integer.MAX_VALUE, good));
        all.add(new RawBatch("surplus-byte", "A zero byte after the last record.", 0, 1, TIME, 2, joined(good, new byte[1])));
        all.add(new RawBatch("last-record-cut", "", 0, 1, TIME, 2, java.util.Arrays.copyOf(good, good.length - 1)));
        all.add(new RawBatch("record-length-too-high", "", 0, 0, TIME, 1, withLength(rawRecord(0, 0, 0, 1, 1, 0), +1)));
        all.add(new RawBatch("record-length-too-low", "", 0, 0, TIME, 1, withLength(rawRecord(0, 0, 0, 1, 1, 0), -1)));
        all.add(new RawBatch("record-length-negative", "", 0, 0, TIME, 1, withLength(rawRecord(0, 0, 0, 1, 1, 0), -100)));
        all.add(new RawBatch("varint-padded", "The key length as a varint of 5 bytes.", 0, 0, TIME, 1, rawKeyLength(0x82, 0x80, 0x80, 0x80, 0x00)));
        all.add(new RawBatch("varint-surplus-bits", "The key length's 5th byte has bits beyond the 32nd.", 0, 0, TIME, 1, rawKeyLength(0x82, 0x80, 0x80, 0x80, 0x70)));
        all.add(new RawBatch("varint-of-6", "", 0, 0, TIME, 1, rawKeyLength(0x82, 0x80, 0x80, 0x80, 0x80, 0x00)));
        all.add(new RawBatch("varlong-padded", "The timestamp delta as a varlong of 10 bytes.", 0, 0, TIME, 1, rawTimestamp(0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00)));
        all.add(new RawBatch("varlong-surplus-bits", "", 0, 0, TIME, 1, rawTimestamp(0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7e)));
        all.add(new RawBatch("varlong-lowest", "Timestamp delta -2^63.", 0, 0, 0, 1, rawTimestamp(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01)));
        all.add(new RawBatch("varlong-of-11", "", 0, 0, TIME, 1, rawTimestamp(0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00)));
        all.add(new RawBatch("timestamp-overflow", "Base timestamp 2^63-1 and delta 1.", 0, 0, Long.MAX_VALUE, 1, rawRecord(0, 1, 0, 1, 1, 0)));
        all.add(new RawBatch("timestamp-back-in-range", "Base timestamp beyond 2^53-1, timestamp below it.", 0, 0, 9_007_199_254_741_001L, 1, rawTimestamp(0xa7, 0x9c, 0x01)));
        all.add(new RawBatch("offset-beyond-last", "An offset delta above lastOffsetDelta.", 0, 1, TIME, 2, joined(rawRecord(0, 0, 0, 1, 1, 0), rawRecord(0, 0, 2, 1, 1, 0))));
        all.add(new RawBatch("offset-negative", "An offset delta below 0.", 0, 1, TIME, 1, rawRecord(0, 0, -1, 1, 1, 0)));
        all.add(new RawBatch("offset-repeated", "Twice the same offset delta.", 0, 1, TIME, 2, joined(rawRecord(0, 0, 0, 1, 1, 0), rawRecord(0, 0, 0, 1, 1, 0))));
        all.add(new RawBatch("count-beyond-offsets", "2 records, lastOffsetDelta 0.", 0, 0, TIME, 2, good));
        return all;
    }

    /** A record with a key of "k"s and a value of "v"s; `headers` is the bytes of the headers. */
    private static byte[] rawRecord(int attributes, long timestampDelta, int offsetDelta, int keyLength, int valueLength, int headerCount, int... headers) {
        return sized(out -> {
            out.put((byte) attributes);
            ByteUtils.writeVarlong(timestampDelta, out);
            ByteUtils.writeVarint(offsetDelta, out);
            ByteUtils.writeVarint(keyLength, out);
            for (int i = 0; i < keyLength; i++) out.put((byte) 'k');
            ByteUtils.writeVarint(valueLength, out);
            for (int i = 0; i < valueLength; i++) out.put((byte) 'v');
            ByteUtils.writeVarint(headerCount, out);
            for (int header : headers) out.put((byte) header);
        });
    }

    private static byte[] rawKeyLength(int... varint) {
        return sized(out -> {
            out.put(new byte[3]);
            for (int part : varint) out.put((byte) part);
            out.put((byte) 'k').put((byte) 2).put((byte) 'v').put((byte) 0);
        });
    }

    private static byte[] rawTimestamp(int... varlong) {
        return sized(out -> {
            out.put((byte) 0);
            for (int part : varlong) out.put((byte) part);
            out.put((byte) 0).put((byte) 2).put((byte) 'k').put((byte) 2).put((byte) 'v').put((byte) 0);
        });
    }

    private static byte[] sized(Consumer<ByteBuffer> body) {
        ByteBuffer out = ByteBuffer.allocate(256);
        body.accept(out);
        byte[] written = java.util.Arrays.copyOf(out.array(), out.position());
        ByteBuffer record = ByteBuffer.allocate(written.length + 5);
        ByteUtils.writeVarint(written.length, record);
        return java.util.Arrays.copyOf(record.put(written).array(), record.position());
    }

    private static byte[] withLength(byte[] record, int change) {
        byte[] changed = record.clone();
        ByteBuffer length = ByteBuffer.allocate(5);
        ByteUtils.writeVarint(record.length - 1 + change, length);
        byte[] body = java.util.Arrays.copyOfRange(changed, 1, changed.length);
        return joined(java.util.Arrays.copyOf(length.array(), length.position()), body);
    }

    private static byte[] joined(byte[]... parts) {
        ByteBuffer all = ByteBuffer.allocate(1024);
        for (byte[] part : parts) all.put(part);
        return java.util.Arrays.copyOf(all.array(), all.position());
    }

    private static ByteBuffer batchOf(RawBatch raw) {
        ByteBuffer batch = ByteBuffer.allocate(61 + raw.payload.length);
        batch.putLong(500).putInt(49 + raw.payload.length).putInt(7).put((byte) 2).putInt(0).putShort((short) raw.attributes).putInt(raw.lastOffsetDelta);
        batch.putLong(raw.baseTimestamp).putLong(TIME + 1).putLong(-1).putShort((short) -1).putInt(-1).putInt(raw.count).put(raw.payload);
        java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
        crc.update(batch.array(), 21, batch.capacity() - 21);
        return batch.putInt(17, (int) crc.getValue()).flip();
    }

    // JSON.

    private static String opening(String name, String about) {
        return "{\n  \"origin\": \"org.apache.kafka:kafka-clients:" + AppInfoParser.getVersion() + ", tools/java-reference, RecordFixtures, " + name + "\",\n"
            + "  \"about\": " + quoted(about) + ",\n";
    }

    private static String fixture(Batch batch) {
        List<String> batches = new ArrayList<>();
        for (MutableRecordBatch each : batch.records.batches()) batches.add(json(each));
        return opening(batch.name, batch.about) + "  \"hex\": " + quoted(hex(batch.records.buffer())) + ",\n  \"batches\": [\n" + String.join(",\n", batches) + "\n  ]\n}\n";
    }

    private static String verdict(RawBatch raw) {
        ByteBuffer bytes = batchOf(raw);
        String start = "    { \"name\": " + quoted(raw.name) + ", \"about\": " + quoted(raw.about) + ",\n      \"hex\": " + quoted(hex(bytes)) + ",\n";
        try {
            List<String> records = new ArrayList<>();
            for (MutableRecordBatch batch : MemoryRecords.readableRecords(bytes).batches()) {
                batch.ensureValid();
                for (Record record : batch) records.add(json(record));
            }
            return start + "      \"records\": [" + String.join(", ", records) + "] }";
        } catch (RuntimeException error) {
            return start + "      \"refused\": " + quoted(error.getClass().getSimpleName()) + " }";
        }
    }

    private static String json(MutableRecordBatch batch) {
        List<String> records = new ArrayList<>();
        String marker = "null";
        try (var iterator = batch.streamingIterator(BufferSupplier.NO_CACHING)) {
            while (iterator.hasNext()) {
                Record record = iterator.next();
                records.add("        " + json(record));
                if (batch.isControlBatch()) {
                    EndTransactionMarker end = EndTransactionMarker.deserialize(record);
                    marker = "{ \"type\": " + quoted(end.controlType().name().toLowerCase()) + ", \"coordinatorEpoch\": " + end.coordinatorEpoch() + " }";
                }
            }
        }
        return "    {\n      \"baseOffset\": " + quoted(batch.baseOffset()) + ", \"lastOffset\": " + quoted(batch.lastOffset()) + ", \"partitionLeaderEpoch\": " + batch.partitionLeaderEpoch()
            + ", \"sizeInBytes\": " + batch.sizeInBytes() + ", \"checksum\": " + batch.checksum() + ",\n      \"codecId\": " + batch.compressionType().id + ", \"isTransactional\": " + batch.isTransactional()
            + ", \"isControl\": " + batch.isControlBatch() + ", \"isLogAppendTime\": " + (batch.timestampType() == TimestampType.LOG_APPEND_TIME) + ",\n      \"deleteHorizonMs\": "
            + (batch.deleteHorizonMs().isPresent() ? quoted(batch.deleteHorizonMs().getAsLong()) : "null") + ", \"maxTimestamp\": " + quoted(batch.maxTimestamp()) + ", \"producerId\": " + quoted(batch.producerId())
            + ", \"producerEpoch\": " + batch.producerEpoch() + ", \"baseSequence\": " + batch.baseSequence() + ",\n      \"marker\": " + marker + ",\n      \"records\": [\n" + String.join(",\n", records) + "\n      ]\n    }";
    }

    private static String json(Record record) {
        List<String> headers = new ArrayList<>();
        for (Header header : record.headers()) headers.add("[" + quoted(header.key()) + ", " + hexOrNull(header.value() == null ? null : ByteBuffer.wrap(header.value())) + "]");
        String end = headers.isEmpty() ? " }" : ", \"headers\": [" + String.join(", ", headers) + "] }";
        return "{ \"offset\": " + quoted(record.offset()) + ", \"timestamp\": " + quoted(record.timestamp()) + ", \"key\": " + hexOrNull(record.key()) + ", \"value\": " + hexOrNull(record.value()) + end;
    }

    private static String hexOrNull(ByteBuffer bytes) {
        return bytes == null ? "null" : quoted(hex(bytes));
    }

    private static String hex(ByteBuffer bytes) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        return HexFormat.of().formatHex(copy);
    }

    private static String quoted(Object value) {
        return "\"" + value.toString().replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    private static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }

    private static SimpleRecord record(long timestamp, String key, String value) {
        return new SimpleRecord(timestamp, bytes(key), bytes(value));
    }
}

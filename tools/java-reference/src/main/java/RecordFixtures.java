import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Predicate;
import java.util.zip.GZIPOutputStream;

import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecords.RecordFilter.BatchRetention;
import org.apache.kafka.common.record.internal.MemoryRecords.RecordFilter.BatchRetentionResult;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.internals.BufferSupplier;

/**
 * Writes fixtures/records: record batches v2, here, message sets v0 and v1 (RecordLegacy), control batches of KRaft
 * (RecordControls) as Kafka's own classes write them, each with what the same classes read back from the bytes; and
 * verdicts.json, bytes made by hand with Java's verdict on them (RecordVerdicts).
 * int64 values are strings, bytes are hex, files of large batches are gzipped. The first argument is the folder to write to.
 */
public final class RecordFixtures {
    static final long TIME = 1_750_000_000_000L;
    static final long PRODUCER = 7_000_000_000_000_000_123L;
    /** By Kafka's id. */
    static final List<Compression> CODECS =
        List.of(Compression.NONE, Compression.gzip().build(), Compression.snappy().build(), Compression.lz4().build(), Compression.zstd().build());

    record Batch(String name, String about, ByteBuffer bytes) {
        Batch(String name, String about, MemoryRecords records) {
            this(name, about, records.buffer());
        }
    }

    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        Files.createDirectories(folder);
        List<Batch> all = batches();
        all.addAll(RecordLegacy.batches());
        all.addAll(RecordControls.batches());
        for (Batch batch : all) {
            String text = RecordJson.opening(batch.name, batch.about) + "  \"hex\": " + RecordJson.quoted(RecordJson.hex(batch.bytes)) + ",\n  \"batches\": [\n"
                + String.join(",\n", RecordJson.batches(batch.bytes)) + "\n  ]\n}\n";
            write(folder, batch.name, text, batch.name.startsWith("large-"));
        }
        write(folder, "verdicts", RecordVerdicts.text(), false);
    }

    private static void write(Path folder, String name, String text, boolean gzipped) throws IOException {
        try (OutputStream file = Files.newOutputStream(folder.resolve(name + (gzipped ? ".json.gz" : ".json")));
             OutputStream out = gzipped ? new GZIPOutputStream(file) : file) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
    }

    private static List<Batch> batches() {
        List<Batch> all = new ArrayList<>();
        all.add(new Batch("plain", "One record, as a producer without idempotence sends it.",
            MemoryRecords.withRecords(Compression.NONE, record(TIME, "key", "value"))));
        all.add(new Batch("headers", "Headers with repeated, empty and non-ASCII keys, null and empty values.",
            MemoryRecords.withRecords(Compression.NONE,
                new SimpleRecord(TIME, RecordJson.bytes("k"), RecordJson.bytes("v"), headers()),
                record(TIME + 1, null, "without headers"))));
        all.add(new Batch("nulls", "Null and empty keys and values in every combination.", MemoryRecords.withRecords(Compression.NONE, nulls())));
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
        all.add(new Batch("log-append-time", "CreateTime batch that a broker changed to LogAppendTime.",
            stamped(MemoryRecords.withRecords(20, Compression.NONE, 4, record(TIME, "a", "1"), record(TIME + 5, "b", "2")))));
        all.add(new Batch("gzip", "Compressed by gzip.", MemoryRecords.withRecords(CODECS.get(1), many[0], record(TIME + 7, "key", "value".repeat(100)), record(TIME - 7, "key", "value".repeat(100)))));
        all.add(new Batch("several", "Three batches one after another, with gaps between their offsets.", several()));
        all.add(new Batch("truncated", "Two batches and the beginning of a third, as Fetch answers may end.", cut(several(), 20)));
        all.add(new Batch("compacted", "The cleaner took records out, at the beginning, in the middle and at the end.", compacted(Compression.NONE, false)));
        all.add(new Batch("emptied", "The cleaner took out all records and kept the batch.", compacted(Compression.NONE, true)));
        all.add(new Batch("delete-horizon", "The cleaner set the delete horizon: the base timestamp is that, so deltas are below zero.", withDeleteHorizon(Compression.NONE)));
        all.add(new Batch("far-timestamps", "Timestamps beyond 2^53-1.",
            MemoryRecords.withRecords(Compression.NONE, record(Long.MAX_VALUE, "a", "1"), record(Long.MAX_VALUE - 1, "b", "2"), record(1, "c", "3"), record(9_007_199_254_740_993L, "d", "4"))));
        for (Compression codec : CODECS) {
            String name = codec.type().name;
            all.add(new Batch("kinds-" + name, "Batches of every kind one after another, codec " + name + ": plain with headers, nulls, idempotent, transactional, marker, LogAppendTime, compacted, emptied, with a delete horizon.", kinds(codec)));
            all.add(new Batch("large-" + name, "100 KB of records, codec " + name + ".", MemoryRecords.withRecords(codec, large())));
        }
        return all;
    }

    private static ByteBuffer kinds(Compression codec) {
        return joined(
            MemoryRecords.withRecords(codec, new SimpleRecord(TIME, RecordJson.bytes("k"), RecordJson.bytes("v".repeat(99)), headers()), record(TIME - 1, null, "without headers")),
            MemoryRecords.withRecords(2, codec, 1, nulls()),
            MemoryRecords.withIdempotentRecords(8, codec, PRODUCER, (short) 0, 7, 1, record(TIME, "a", "1"), record(TIME + 1, "b", "2")),
            MemoryRecords.withTransactionalRecords(10, codec, PRODUCER, (short) 1, 0, 1, record(TIME, "a", "1"), record(TIME + 1, "b", "2")),
            MemoryRecords.withEndTransactionMarker(12, TIME, 1, PRODUCER, (short) 1, new EndTransactionMarker(ControlRecordType.COMMIT, 3)),
            stamped(MemoryRecords.withRecords(13, codec, 1, record(TIME, "a", "1"), record(TIME + 5, "b", "2"))),
            compacted(codec, false),
            compacted(codec, true),
            withDeleteHorizon(codec));
    }

    /** 200 records that compress as orders in JSON do, a few not at all. */
    static SimpleRecord[] large() {
        Random random = new Random(4);
        SimpleRecord[] records = new SimpleRecord[200];
        for (int i = 0; i < records.length; i++) {
            byte[] noise = new byte[i % 16 == 0 ? 900 : 20];
            random.nextBytes(noise);
            String lines = "{\"sku\":\"article-%d\",\"quantity\":%d,\"price\":\"%d.99\"},".repeat(8).formatted(random.ints(24, 0, 1000).boxed().toArray());
            String value = "{\"order\":" + (100_000 + i) + ",\"customer\":\"customer-" + random.nextInt(500) + "\",\"lines\":[" + lines + "]}";
            ByteBuffer joined = ByteBuffer.allocate(value.length() + noise.length).put(noise).put(RecordJson.bytes(value));
            records[i] = new SimpleRecord(TIME + i, RecordJson.bytes("order-" + i), joined.array());
        }
        return records;
    }

    static Header[] headers() {
        return new Header[] {
            new RecordHeader("trace", RecordJson.bytes("abc")), new RecordHeader("trace", RecordJson.bytes("def")),
            new RecordHeader("", RecordJson.bytes("")), new RecordHeader("ключ", null), new RecordHeader("__proto__", RecordJson.bytes("x".repeat(70))),
        };
    }

    static SimpleRecord[] nulls() {
        return new SimpleRecord[] {
            record(TIME, null, null), record(TIME, "", ""), record(TIME, null, ""), record(TIME, "", null), record(TIME, "k", null), record(TIME, null, "v"),
        };
    }

    /** The broker's time for every record, as brokers write it over the producer's. */
    static MemoryRecords stamped(MemoryRecords records) {
        for (MutableRecordBatch batch : records.batches()) batch.setMaxTimestamp(TimestampType.LOG_APPEND_TIME, TIME + 1000);
        return records;
    }

    private static ByteBuffer several() {
        return joined(
            MemoryRecords.withRecords(0, Compression.NONE, 1, record(TIME, "a", "1"), record(TIME, "b", "2")),
            MemoryRecords.withRecords(10, Compression.NONE, 1, record(TIME + 1, "c", "3")),
            MemoryRecords.withRecords(11, CODECS.get(1), 2, record(TIME + 2, "d", "4".repeat(64))));
    }

    private static MemoryRecords compacted(Compression compression, boolean all) {
        MemoryRecords records = MemoryRecords.withIdempotentRecords(100, compression, PRODUCER, (short) 0, 0, 1,
            record(TIME, "a", "1"), record(TIME + 1, "b", "2"), record(TIME + 2, "c", "3"), record(TIME + 3, "d", "4"), record(TIME + 4, "e", "5"));
        return filter(records, record -> !all && (record.offset() == 101 || record.offset() == 103));
    }

    private static MemoryRecords withDeleteHorizon(Compression codec) {
        return filter(MemoryRecords.withRecords(200, codec, 1, record(TIME, "a", null), record(TIME + 1, "b", "2"), record(TIME + 2, "c", "3")), record -> record.offset() != 201);
    }

    /** What the cleaner leaves. */
    static MemoryRecords filter(MemoryRecords records, Predicate<Record> keep) {
        ByteBuffer output = ByteBuffer.allocate(4096);
        var result = records.filterTo(new MemoryRecords.RecordFilter(TIME + 3_600_000, 86_400_000) {
            @Override
            protected BatchRetentionResult checkBatchRetention(RecordBatch batch) {
                return new BatchRetentionResult(batch.magic() < 2 ? BatchRetention.DELETE_EMPTY : BatchRetention.RETAIN_EMPTY, false);
            }

            @Override
            protected boolean shouldRetainRecord(RecordBatch batch, Record record) {
                return keep.test(record);
            }
        }, output, BufferSupplier.NO_CACHING, Integer.MAX_VALUE);
        return MemoryRecords.readableRecords(result.outputBuffer().flip());
    }

    static ByteBuffer joined(MemoryRecords... parts) {
        ByteBuffer all = ByteBuffer.allocate(1 << 16);
        for (MemoryRecords part : parts) all.put(part.buffer());
        return all.flip();
    }

    /** Without the last `count` bytes. */
    static ByteBuffer cut(ByteBuffer bytes, int count) {
        return bytes.slice(0, bytes.limit() - count);
    }

    static SimpleRecord record(long timestamp, String key, String value) {
        return new SimpleRecord(timestamp, RecordJson.bytes(key), RecordJson.bytes(value));
    }
}

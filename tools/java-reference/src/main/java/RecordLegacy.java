import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.SimpleRecord;

/** Message sets v0 and v1, which Kafka's classes still write: plain, wrapped by each codec, stamped, compacted, cut. */
final class RecordLegacy {
    private RecordLegacy() {}

    static List<RecordFixtures.Batch> batches() {
        List<RecordFixtures.Batch> all = new ArrayList<>();
        for (byte magic = 0; magic < 2; magic++) {
            for (Compression codec : RecordFixtures.CODECS.subList(0, 4)) {
                String name = "v" + magic + "-" + codec.type().name;
                String what = "Messages of v" + magic + ", codec " + codec.type().name;
                all.add(batch(name, what + ", null and empty keys and values among them.", set(magic, 1000, codec, RecordFixtures.nulls())));
                all.add(batch(name + "-compacted", what + ": the cleaner took messages out, at the beginning, in the middle and at the end.", compacted(magic, codec)));
                all.add(batch("large-" + name, what + ", 100 KB.", set(magic, 0, codec, RecordFixtures.large())));
                if (magic == 1) {
                    all.add(batch(name + "-stamped", what + ", whose timestamps a broker changed to LogAppendTime.", RecordFixtures.stamped(set(magic, 50, codec, pair()))));
                    all.add(batch(name + "-log-append-time", what + ", of LogAppendTime when it was written.", logAppendTime(codec)));
                }
            }
            all.add(new RecordFixtures.Batch("v" + magic + "-truncated", "Messages of v" + magic + ", a wrapper and the beginning of a message.",
                RecordFixtures.cut(RecordFixtures.joined(set(magic, 5, Compression.NONE, pair()), set(magic, 7, RecordFixtures.CODECS.get(1), pair()), set(magic, 9, Compression.NONE, pair()[0])), 3)));
        }
        all.add(batch("v1-timestamps", "Messages of v1 with timestamps below zero and beyond 2^53-1.",
            set((byte) 1, 0, RecordFixtures.CODECS.get(1), RecordFixtures.record(-1, "a", "1"), RecordFixtures.record(Long.MAX_VALUE, "b", "2"), RecordFixtures.record(9_007_199_254_740_993L, "c", "3"), RecordFixtures.record(0, "d", "4"))));
        all.add(new RecordFixtures.Batch("upgraded", "A log whose format went from v0 over v1 to v2.",
            RecordFixtures.joined(set((byte) 0, 0, Compression.NONE, pair()), set((byte) 0, 2, RecordFixtures.CODECS.get(2), pair()), set((byte) 1, 4, RecordFixtures.CODECS.get(1), pair()), set((byte) 1, 6, Compression.NONE, pair()),
                MemoryRecords.withRecords(8, RecordFixtures.CODECS.get(1), 3, pair()))));
        return all;
    }

    private static RecordFixtures.Batch batch(String name, String about, MemoryRecords records) {
        return new RecordFixtures.Batch(name, about, records);
    }

    private static SimpleRecord[] pair() {
        return new SimpleRecord[] {RecordFixtures.record(RecordFixtures.TIME, "a", "1"), RecordFixtures.record(RecordFixtures.TIME + 5, null, "2".repeat(40))};
    }

    static MemoryRecords set(byte magic, long baseOffset, Compression codec, SimpleRecord... records) {
        return MemoryRecords.withRecords(magic, baseOffset, codec, TimestampType.CREATE_TIME, records);
    }

    private static MemoryRecords compacted(byte magic, Compression codec) {
        SimpleRecord[] records = new SimpleRecord[6];
        for (int i = 0; i < records.length; i++) records[i] = RecordFixtures.record(RecordFixtures.TIME + i, "key " + i, "value " + i);
        return RecordFixtures.filter(set(magic, 300, codec, records), record -> record.offset() == 301 || record.offset() == 304);
    }

    private static MemoryRecords logAppendTime(Compression codec) {
        try (MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(1024), (byte) 1, codec, TimestampType.LOG_APPEND_TIME, 70, RecordFixtures.TIME + 2000)) {
            for (SimpleRecord record : pair()) builder.append(record);
            return builder.build();
        }
    }
}

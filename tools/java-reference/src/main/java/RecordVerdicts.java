import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.ByteBufferOutputStream;
import org.apache.kafka.common.utils.internals.ByteUtils;

/** Record batches made by hand, and Java's verdict on them: refused, or the records that it reads. */
final class RecordVerdicts {
    private static final long TIME = RecordFixtures.TIME;

    record Case(String name, String about, ByteBuffer bytes) {}

    private RecordVerdicts() {}

    static String text() throws IOException {
        List<Case> cases = new ArrayList<>();
        cases.addAll(batches());
        cases.addAll(compressed());
        cases.addAll(RecordLegacyVerdicts.cases());
        return RecordJson.opening("verdicts", "Bytes made by hand, and whether Java reads them.") + "  \"cases\": [\n"
            + String.join(",\n", cases.stream().map(RecordVerdicts::verdict).toList()) + "\n  ]\n}\n";
    }

    private static String verdict(Case made) {
        String start = "    { \"name\": " + RecordJson.quoted(made.name) + ", \"about\": " + RecordJson.quoted(made.about) + ",\n      \"hex\": " + RecordJson.quoted(RecordJson.hex(made.bytes)) + ",\n";
        try {
            List<String> records = new ArrayList<>();
            for (MutableRecordBatch batch : MemoryRecords.readableRecords(made.bytes).batches()) {
                batch.ensureValid();
                // As consumers read.
                try (var iterator = batch.streamingIterator(BufferSupplier.NO_CACHING)) {
                    while (iterator.hasNext()) records.add(RecordJson.record(iterator.next()));
                }
            }
            return start + "      \"records\": [" + String.join(", ", records) + "] }";
        } catch (RuntimeException error) {
            return start + "      \"refused\": " + RecordJson.quoted(error.getClass().getSimpleName()) + " }";
        }
    }

    private static List<Case> batches() {
        List<Case> all = new ArrayList<>();
        byte[] good = joined(rawRecord(0, 0, 0, 1, 1, 0), rawRecord(0, 1, 1, 1, 1, 0));
        all.add(batch("good", "What the others differ from.", 0, 1, TIME, 2, good));
        all.add(batch("unused-attributes", "The batch's unused bits are set.", 0x7f80, 1, TIME, 2, good));
        all.add(batch("record-attributes", "A record's attributes are set.", 0, 0, TIME, 1, rawRecord(0xff, 0, 0, 1, 1, 0)));
        all.add(batch("key-length-below-null", "Key length -2.", 0, 0, TIME, 1, rawRecord(0, 0, 0, -2, 1, 0)));
        all.add(batch("value-length-below-null", "Value length -5.", 0, 0, TIME, 1, rawRecord(0, 0, 0, 1, -5, 0)));
        all.add(batch("header-count-negative", "", 0, 0, TIME, 1, rawRecord(0, 0, 0, 1, 1, -1)));
        all.add(batch("header-count-too-high", "", 0, 0, TIME, 1, rawRecord(0, 0, 0, 1, 1, 100)));
        all.add(batch("header-count-without-bytes", "One header, of which there is no byte.", 0, 0, TIME, 1, rawRecord(0, 0, 0, 1, 1, 1)));
        all.add(batch("header-key-null", "Header key length -1.", 0, 0, TIME, 1, rawRecord(0, 0, 0, 1, 1, 1, 0x01, 0x02, 0x61)));
        all.add(batch("header-key-invalid-utf-8", "", 0, 0, TIME, 1, rawRecord(0, 0, 0, 1, 1, 1, 0x06, 0x61, 0xff, 0xfe, 0x02, 0x61)));
        all.add(batch("header-value-length-below-null", "Header value length -2.", 0, 0, TIME, 1, rawRecord(0, 0, 0, 1, 1, 1, 0x02, 0x61, 0x03)));
        all.add(batch("count-zero-with-payload", "", 0, 1, TIME, 0, good));
        all.add(batch("count-negative", "", 0, 1, TIME, -1, good));
        all.add(batch("count-too-high", "3 where 2 lie.", 0, 2, TIME, 3, good));
        all.add(batch("count-too-low", "1 where 2 lie.", 0, 1, TIME, 1, good));
        all.add(batch("count-huge", "2147483647 where 2 lie.", 0, Integer.MAX_VALUE - 1, TIME, Integer.MAX_VALUE, good));
        all.add(batch("surplus-byte", "A zero byte after the last record.", 0, 1, TIME, 2, joined(good, new byte[1])));
        all.add(batch("last-record-cut", "", 0, 1, TIME, 2, java.util.Arrays.copyOf(good, good.length - 1)));
        all.add(batch("record-length-too-high", "", 0, 0, TIME, 1, withLength(rawRecord(0, 0, 0, 1, 1, 0), +1)));
        all.add(batch("record-length-too-low", "", 0, 0, TIME, 1, withLength(rawRecord(0, 0, 0, 1, 1, 0), -1)));
        all.add(batch("record-length-negative", "", 0, 0, TIME, 1, withLength(rawRecord(0, 0, 0, 1, 1, 0), -100)));
        all.add(batch("varint-padded", "The key length as a varint of 5 bytes.", 0, 0, TIME, 1, rawKeyLength(0x82, 0x80, 0x80, 0x80, 0x00)));
        all.add(batch("varint-surplus-bits", "The key length's 5th byte has bits beyond the 32nd.", 0, 0, TIME, 1, rawKeyLength(0x82, 0x80, 0x80, 0x80, 0x70)));
        all.add(batch("varint-of-6", "", 0, 0, TIME, 1, rawKeyLength(0x82, 0x80, 0x80, 0x80, 0x80, 0x00)));
        all.add(batch("varlong-padded", "The timestamp delta as a varlong of 10 bytes.", 0, 0, TIME, 1, rawTimestamp(0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00)));
        all.add(batch("varlong-surplus-bits", "", 0, 0, TIME, 1, rawTimestamp(0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7e)));
        all.add(batch("varlong-lowest", "Timestamp delta -2^63.", 0, 0, 0, 1, rawTimestamp(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01)));
        all.add(batch("varlong-of-11", "", 0, 0, TIME, 1, rawTimestamp(0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00)));
        all.add(batch("timestamp-overflow", "Base timestamp 2^63-1 and delta 1.", 0, 0, Long.MAX_VALUE, 1, rawRecord(0, 1, 0, 1, 1, 0)));
        all.add(batch("timestamp-back-in-range", "Base timestamp beyond 2^53-1, timestamp below it.", 0, 0, 9_007_199_254_741_001L, 1, rawTimestamp(0xa7, 0x9c, 0x01)));
        all.add(batch("offset-beyond-last", "An offset delta above lastOffsetDelta.", 0, 1, TIME, 2, joined(rawRecord(0, 0, 0, 1, 1, 0), rawRecord(0, 0, 2, 1, 1, 0))));
        all.add(batch("offset-negative", "An offset delta below 0.", 0, 1, TIME, 1, rawRecord(0, 0, -1, 1, 1, 0)));
        all.add(batch("offset-repeated", "Twice the same offset delta.", 0, 1, TIME, 2, joined(rawRecord(0, 0, 0, 1, 1, 0), rawRecord(0, 0, 0, 1, 1, 0))));
        all.add(batch("count-beyond-offsets", "2 records, lastOffsetDelta 0.", 0, 0, TIME, 2, good));
        return all;
    }

    private static List<Case> compressed() throws IOException {
        List<Case> all = new ArrayList<>();
        byte[] good = joined(rawRecord(0, 0, 0, 1, 1, 0), rawRecord(0, 1, 1, 1, 1, 0));
        for (Compression codec : RecordFixtures.CODECS.subList(1, 5)) {
            String name = codec.type().name;
            byte[] payload = deflated(codec, 2, good);
            all.add(batch(name, "", codec.type().id, 1, TIME, 2, payload));
            all.add(batch(name + "-surplus-zero", "A zero byte after the last record.", codec.type().id, 1, TIME, 2, deflated(codec, 2, joined(good, new byte[1]))));
            all.add(batch(name + "-surplus-zeros", "Two zero bytes after the last record.", codec.type().id, 1, TIME, 2, deflated(codec, 2, joined(good, new byte[2]))));
            all.add(batch(name + "-surplus-byte", "Another byte after the last record.", codec.type().id, 1, TIME, 2, deflated(codec, 2, joined(good, new byte[] {1}))));
            all.add(batch(name + "-zero-after", "A zero byte after the compressed bytes.", codec.type().id, 1, TIME, 2, joined(payload, new byte[1])));
            all.add(batch(name + "-count-zero", "", codec.type().id, 1, TIME, 0, payload));
            all.add(batch(name + "-count-too-high", "3 where 2 lie.", codec.type().id, 2, TIME, 3, payload));
            all.add(batch(name + "-count-too-low", "1 where 2 lie.", codec.type().id, 1, TIME, 1, payload));
            all.add(batch(name + "-empty", "No compressed byte.", codec.type().id, 1, TIME, 2, new byte[0]));
            all.add(batch(name + "-cut", "Without the last 9 bytes.", codec.type().id, 1, TIME, 2, Arrays.copyOf(payload, payload.length - 9)));
            all.add(batch(name + "-twice", "The records in two compressed pieces one after another.", codec.type().id, 1, TIME, 2, joined(deflated(codec, 2, rawRecord(0, 0, 0, 1, 1, 0)), deflated(codec, 2, rawRecord(0, 1, 1, 1, 1, 0)))));
        }
        all.add(batch("snappy-raw", "Snappy without the framing of xerial.", 2, 1, TIME, 2, org.xerial.snappy.Snappy.compress(good)));
        all.add(batch("lz4-header-checksum", "lz4 with the header checksum of v0.", 3, 1, TIME, 2, deflated(RecordFixtures.CODECS.get(3), 0, good)));
        for (int codec = 5; codec < 8; codec++) all.add(batch("codec-" + codec, "", codec, 1, TIME, 2, good));
        return all;
    }

    private static Case batch(String name, String about, int attributes, int lastOffsetDelta, long baseTimestamp, int count, byte[] payload) {
        ByteBuffer batch = ByteBuffer.allocate(61 + payload.length);
        batch.putLong(500).putInt(49 + payload.length).putInt(7).put((byte) 2).putInt(0).putShort((short) attributes).putInt(lastOffsetDelta);
        batch.putLong(baseTimestamp).putLong(TIME + 1).putLong(-1).putShort((short) -1).putInt(-1).putInt(count).put(payload);
        CRC32C crc = new CRC32C();
        crc.update(batch.array(), 21, batch.capacity() - 21);
        return new Case(name, about, batch.putInt(17, (int) crc.getValue()).flip());
    }

    /** Compressed as for messages of format `magic`. */
    static byte[] deflated(Compression codec, int magic, byte[] bytes) throws IOException {
        ByteBufferOutputStream out = new ByteBufferOutputStream(256);
        try (OutputStream stream = codec.wrapForOutput(out, (byte) magic)) {
            stream.write(bytes);
        }
        return Arrays.copyOf(out.buffer().array(), out.position());
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
        byte[] written = Arrays.copyOf(out.array(), out.position());
        ByteBuffer record = ByteBuffer.allocate(written.length + 5);
        ByteUtils.writeVarint(written.length, record);
        return Arrays.copyOf(record.put(written).array(), record.position());
    }

    private static byte[] withLength(byte[] record, int change) {
        byte[] changed = record.clone();
        ByteBuffer length = ByteBuffer.allocate(5);
        ByteUtils.writeVarint(record.length - 1 + change, length);
        byte[] body = Arrays.copyOfRange(changed, 1, changed.length);
        return joined(Arrays.copyOf(length.array(), length.position()), body);
    }

    static byte[] joined(byte[]... parts) {
        ByteBuffer all = ByteBuffer.allocate(1024);
        for (byte[] part : parts) all.put(part);
        return Arrays.copyOf(all.array(), all.position());
    }
}

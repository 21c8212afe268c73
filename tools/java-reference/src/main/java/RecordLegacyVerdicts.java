import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;

import org.apache.kafka.common.compress.Compression;

/** Message sets v0 and v1 made by hand, for RecordVerdicts. */
final class RecordLegacyVerdicts {
    private static final long TIME = RecordFixtures.TIME;
    private static final byte[] K = {'k'};
    private static final byte[] V = {'v'};
    private static final Compression GZIP = RecordFixtures.CODECS.get(1);

    private RecordLegacyVerdicts() {}

    static List<RecordVerdicts.Case> cases() throws IOException {
        List<RecordVerdicts.Case> all = new ArrayList<>();
        for (int magic = 0; magic < 2; magic++) {
            String v = "v" + magic + "-";
            byte[] good = message(magic, 500, 0, TIME, K, V);
            add(all, v + "good", "What the others differ from.", good);
            add(all, v + "crc", "A wrong checksum.", changed(good, 12, 1));
            add(all, v + "attributes", "The unused bits are set.", message(magic, 500, 0xf0, TIME, K, V));
            add(all, v + "log-append-time", "The bit of LogAppendTime.", message(magic, 500, 0x08, TIME, K, V));
            add(all, v + "key-length-below-null", "Key length -2.", lengths(magic, 500, 0, -2, 1));
            add(all, v + "value-length-below-null", "Value length -5.", lengths(magic, 500, 0, 1, -5));
            add(all, v + "key-length-too-high", "", lengths(magic, 500, 0, 100, 1));
            add(all, v + "value-length-too-high", "", lengths(magic, 500, 0, 1, 2));
            add(all, v + "surplus", "A byte after the value.", lengths(magic, 500, 0, 1, 0));
            add(all, v + "cut", "Without its last byte.", Arrays.copyOf(good, good.length - 1));
            add(all, v + "short", "14 bytes after the length.", sealed(ByteBuffer.allocate(26).putLong(500).putInt(14).putInt(0).put((byte) magic).put((byte) 0).putInt(-1).putInt(-1)));
            add(all, v + "too-short", "13 bytes after the length.", sealed(ByteBuffer.allocate(25).putLong(500).putInt(13).putInt(0).put((byte) magic).put((byte) 0)));
            add(all, v + "zstd", "", wrapper(magic, 501, 4, TIME, RecordVerdicts.deflated(RecordFixtures.CODECS.get(4), magic, RecordVerdicts.joined(message(magic, 0, 0, TIME, K, V), message(magic, 1, 0, TIME, K, V)))));
            add(all, v + "codec-7", "", message(magic, 500, 7, TIME, K, V));
            add(all, v + "wrapper-value-null", "", message(magic, 500, 1, TIME, null, null));
            add(all, v + "wrapper-value-empty", "No compressed byte.", message(magic, 500, 1, TIME, null, new byte[0]));
            add(all, v + "wrapper-key", "The wrapper has a key.", message(magic, 500, 1, TIME, K, RecordVerdicts.deflated(GZIP, magic, good)));
            add(all, v + "wrapper-unused-attributes", "", wrapped(magic, 500, 0xf0, good));
            add(all, v + "wrapper-of-nothing", "The compressed bytes are those of nothing.", wrapped(magic, 500, 0));
            add(all, v + "inner-crc", "A wrong checksum in a wrapper.", wrapped(magic, 500, 0, changed(good, 12, 1)));
            add(all, v + "inner-compressed", "A wrapper in a wrapper.", wrapped(magic, 500, 0, wrapped(magic, 500, 0, good)));
            add(all, v + "inner-other-magic", "The other format in a wrapper.", wrapped(magic, 500, 0, message(1 - magic, 500, 0, TIME + 1, K, V)));
            add(all, v + "inner-magic-2", "", wrapped(magic, 500, 0, message(2, 500, 0, TIME + 1, K, V)));
            add(all, v + "inner-cut", "The second message in the wrapper lacks a byte.", wrapped(magic, 501, 0, message(magic, 500, 0, TIME, K, V), Arrays.copyOf(good, good.length - 1)));
            add(all, v + "inner-cut-first", "The only message in the wrapper lacks a byte.", wrapped(magic, 501, 0, Arrays.copyOf(good, good.length - 1)));
            add(all, v + "inner-tail", "11 bytes after the message in the wrapper.", wrapped(magic, 500, 0, good, new byte[11]));
            add(all, v + "inner-zeros", "12 zero bytes after the message in the wrapper.", wrapped(magic, 500, 0, good, new byte[12]));
            add(all, v + "inner-surplus", "A byte after the value in the wrapper.", wrapped(magic, 500, 0, lengths(magic, 500, 0, 1, 0)));
            add(all, v + "inner-key-length-below-null", "", wrapped(magic, 500, 0, lengths(magic, 500, 0, -2, 1)));
            add(all, v + "inner-value-length-too-high", "", wrapped(magic, 500, 0, lengths(magic, 500, 0, 1, 2)));
            add(all, v + "inner-log-append-time", "The bit of LogAppendTime in the wrapper's message.", wrapped(magic, 500, 0, message(magic, 500, 8, TIME + 1, K, V)));
            add(all, v + "wrapper-log-append-time", "The bit of LogAppendTime on the wrapper.", wrapped(magic, 501, 8, three(magic, 0, 1, 2)));
            add(all, v + "offsets", "0, 1, 2 in a wrapper of offset 502.", wrapped(magic, 502, 0, three(magic, 0, 1, 2)));
            add(all, v + "offsets-with-gaps", "1, 4, 7 in a wrapper of offset 507.", wrapped(magic, 507, 0, three(magic, 1, 4, 7)));
            add(all, v + "offsets-absolute", "500, 501, 502 in a wrapper of offset 502.", wrapped(magic, 502, 0, three(magic, 500, 501, 502)));
            add(all, v + "offsets-beyond", "500, 501, 502 in a wrapper of offset 501.", wrapped(magic, 501, 0, three(magic, 500, 501, 502)));
            add(all, v + "offsets-of-zero", "0, 1, 2 in a wrapper of offset 0, as some producers send.", wrapped(magic, 0, 0, three(magic, 0, 1, 2)));
            add(all, v + "offsets-repeated", "0, 0, 0 in a wrapper of offset 502.", wrapped(magic, 502, 0, three(magic, 0, 0, 0)));
            add(all, v + "offsets-descending", "2, 1, 0 in a wrapper of offset 502.", wrapped(magic, 502, 0, three(magic, 2, 1, 0)));
            add(all, v + "offset-negative", "", wrapped(magic, 502, 0, three(magic, -1, 0, 1)));
            add(all, v + "lz4-checksum-of-v0", "lz4 with the header checksum of v0.", wrapper(magic, 500, 3, TIME, RecordVerdicts.deflated(RecordFixtures.CODECS.get(3), 0, good)));
            add(all, v + "lz4-checksum-of-v1", "lz4 with the right header checksum.", wrapper(magic, 500, 3, TIME, RecordVerdicts.deflated(RecordFixtures.CODECS.get(3), 1, good)));
            byte[] lz4 = RecordVerdicts.deflated(RecordFixtures.CODECS.get(3), magic, good);
            add(all, v + "lz4-checksum-wrong", "lz4 with a header checksum that nobody writes.", wrapper(magic, 500, 3, TIME, changed(lz4, 6, 0x55)));
        }
        add(all, "v1-wrapper-log-append-time-v0", "LogAppendTime on a wrapper of v1 with a message of v0.", wrapped(1, 500, 8, message(0, 500, 0, 0, K, V)));
        add(all, "v1-timestamp-negative", "", message(1, 500, 0, -5, K, V));
        add(all, "message-then-batch-cut", "A message of v1, then 16 bytes that could be anything.", RecordVerdicts.joined(message(1, 500, 0, TIME, K, V), new byte[] {0, 0, 0, 0, 0, 0, 1, (byte) 0xf5, 0, 0, 0, 60, 0, 0, 0, 0}));
        return all;
    }

    private static void add(List<RecordVerdicts.Case> all, String name, String about, byte[] bytes) {
        all.add(new RecordVerdicts.Case(name, about, ByteBuffer.wrap(bytes)));
    }

    private static byte[] message(int magic, long offset, int attributes, long timestamp, byte[] key, byte[] value) {
        int length = 14 + (magic == 0 ? 0 : 8) + (key == null ? 0 : key.length) + (value == null ? 0 : value.length);
        ByteBuffer out = ByteBuffer.allocate(12 + length).putLong(offset).putInt(length).putInt(0).put((byte) magic).put((byte) attributes);
        if (magic > 0) out.putLong(timestamp);
        for (byte[] field : new byte[][] {key, value}) {
            out.putInt(field == null ? -1 : field.length);
            if (field != null) out.put(field);
        }
        return sealed(out);
    }

    /** A message whose lengths of key and value may be wrong: there is a byte of each unless its length is negative. */
    private static byte[] lengths(int magic, long offset, int attributes, int keyLength, int valueLength) {
        byte[] right = message(magic, offset, attributes, TIME, keyLength < 0 ? null : K, valueLength < 0 ? null : V);
        ByteBuffer out = ByteBuffer.wrap(right);
        int key = magic == 0 ? 18 : 26;
        out.putInt(key, keyLength).putInt(key + 4 + (keyLength < 0 ? 0 : 1), valueLength);
        return sealed(out);
    }

    private static byte[] three(int magic, int... offsets) {
        byte[] all = new byte[0];
        for (int offset : offsets) all = RecordVerdicts.joined(all, message(magic, offset, 0, TIME + offset, K, V));
        return all;
    }

    /** A wrapper of gzip around messages. */
    private static byte[] wrapped(int magic, long offset, int attributes, byte[]... messages) throws IOException {
        return wrapper(magic, offset, attributes | 1, TIME, RecordVerdicts.deflated(GZIP, magic, RecordVerdicts.joined(messages)));
    }

    private static byte[] wrapper(int magic, long offset, int attributes, long timestamp, byte[] payload) {
        return message(magic, offset, attributes, timestamp, null, payload);
    }

    /** With its checksum. */
    private static byte[] sealed(ByteBuffer message) {
        CRC32 crc = new CRC32();
        crc.update(message.array(), 16, message.capacity() - 16);
        return message.putInt(12, (int) crc.getValue()).array();
    }

    private static byte[] changed(byte[] bytes, int position, int bits) {
        byte[] changed = bytes.clone();
        changed[position] ^= (byte) bits;
        return changed;
    }
}

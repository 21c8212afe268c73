import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/**
 * Record number `index` of a reproducible set. The same rules in TypeScript: test/integration/support/sample-records.ts;
 * a change here is a change there. Text has no tab, comma, colon or line break, so console tools print it unambiguously.
 */
final class SampleRecord {
  final byte[] key;
  final byte[] value;
  final long timestamp;
  final List<Header> headers = new ArrayList<>();

  SampleRecord(int seed, int index) {
    long mixed = Integer.toUnsignedLong(mix(seed, index));
    key = utf8((mixed % 7 == 0 ? "clé-" : "key-") + mixed % 5000);
    String letter = String.valueOf((char) ('a' + mixed % 26));
    value = index % 1009 == 1008 ? null : utf8("value-" + index + "-" + letter.repeat((int) ((mixed >>> 8) % 100)));
    timestamp = 1_700_000_000_000L + index * 7L + mixed % 1000;
    if (mixed % 3 >= 1) headers.add(new RecordHeader("index", index % 97 == 96 ? null : utf8("" + index)));
    if (mixed % 3 >= 2) headers.add(new RecordHeader("tracé", utf8("é" + Long.toHexString(mixed))));
  }

  private static int mix(int seed, int index) {
    int h = seed ^ (index * 0x9e3779b1);
    h = (h ^ (h >>> 16)) * 0x85ebca6b;
    h = (h ^ (h >>> 13)) * 0xc2b2ae35;
    return h ^ (h >>> 16);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}

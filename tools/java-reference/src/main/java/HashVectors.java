import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import net.jpountz.xxhash.XXHash32;
import net.jpountz.xxhash.XXHashFactory;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.common.utils.internals.AppInfoParser;
import org.apache.kafka.common.utils.internals.Crc32C;

/**
 * Writes fixtures/hashes/{murmur2,crc32c,xxhash32}.json: hashes as Kafka's classes, and the lz4-java that it brings,
 * compute them. Deterministic.
 *
 * Usage: mvn -q compile exec:java -Dexec.mainClass=HashVectors -Dexec.args=../../fixtures/hashes
 */
public final class HashVectors {
    /** Above, a fixture has the length only. */
    private static final int WRITTEN_OUT_BYTES = 70;
    private static final String RULE = "a case has its bytes in hex, or the number of bytes, of which the one at i is (i * 131 + (i >> 8) * 17 + 7) & 255";
    private static final int[] LENGTHS = {127, 128, 129, 255, 256, 257, 1023, 1024, 4095, 4096, 4097, 65_535, 65_536, 1_000_003};

    private HashVectors() { }

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        Files.createDirectories(folder);
        String clients = " of kafka-clients " + AppInfoParser.getVersion();
        write(folder, "murmur2", "Utils.murmur2 and Utils.toPositive of it" + clients, bytes -> {
            int hash = Utils.murmur2(bytes);
            return JsonNodeFactory.instance.objectNode().put("hash", hash).put("positive", Utils.toPositive(hash));
        });
        write(folder, "crc32c", "Crc32C.compute" + clients, bytes ->
            JsonNodeFactory.instance.objectNode().put("hash", Crc32C.compute(bytes, 0, bytes.length)));
        XXHash32 xxhash = XXHashFactory.safeInstance().hash32();
        String lz4 = XXHashFactory.class.getProtectionDomain().getCodeSource().getLocation().getPath().replaceFirst(".*/(lz4-java)-(.*)\\.jar$", "$1 $2");
        write(folder, "xxhash32", "XXHash32 with seed 0 (of the lz4 frame), and with seed 2654435761, of " + lz4, bytes ->
            JsonNodeFactory.instance.objectNode().put("hash", Integer.toUnsignedLong(xxhash.hash(bytes, 0, bytes.length, 0)))
                .put("seeded", Integer.toUnsignedLong(xxhash.hash(bytes, 0, bytes.length, 0x9e3779b1))));
    }

    private static void write(Path folder, String name, String origin, Function<byte[], ObjectNode> hash) throws Exception {
        List<String> lines = new ArrayList<>();
        for (byte[] bytes : inputs()) {
            ObjectNode line = JsonNodeFactory.instance.objectNode();
            if (bytes.length > WRITTEN_OUT_BYTES) line.put("length", bytes.length);
            else line.put("hex", HexFormat.of().formatHex(bytes));
            lines.add(line.setAll(hash.apply(bytes)).toString());
        }
        String text = "{\n\"origin\": \"" + origin + ", by tools/java-reference/HashVectors.java; " + RULE + "\",\n\"cases\": [\n"
            + String.join(",\n", lines) + "\n]\n}\n";
        Files.writeString(folder.resolve(name + ".json"), text);
    }

    /** Random bytes of every short length, bytes with and without their high bits, texts, and long runs by the rule. */
    private static List<byte[]> inputs() {
        Random random = new Random(42);
        List<byte[]> inputs = new ArrayList<>();
        for (int length = 0; length <= WRITTEN_OUT_BYTES; length++) {
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            inputs.add(bytes);
        }
        for (int value : new int[] {0x00, 0x7f, 0x80, 0xff}) {
            for (int length : new int[] {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 32}) {
                byte[] bytes = new byte[length];
                java.util.Arrays.fill(bytes, (byte) value);
                inputs.add(bytes);
            }
        }
        for (String text : List.of("21", "foobar", "a-little-bit-long-string", "caf\u00e9", "\u6771\u4eac", "\ud83d\ude80", "123456789")) {
            inputs.add(text.getBytes(StandardCharsets.UTF_8));
        }
        for (int length : LENGTHS) {
            byte[] bytes = new byte[length];
            for (int i = 0; i < length; i++) bytes[i] = (byte) (i * 131 + (i >> 8) * 17 + 7);
            inputs.add(bytes);
        }
        return inputs;
    }
}

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.types.Schema;

/**
 * Reads what another encoder wrote. The file named by the first argument has a line for every message: its name, its
 * version, its bytes in hex and its value in the JSON of Values, separated by blanks (the JSON comes last and may have
 * more). Java reads the bytes to their end, compares the value, and writes it again, which must give the same bytes.
 *
 * Prints one JSON object: how many messages, versions and values were read, the message versions of this release of
 * which no line came, how many lines differ, and the first of them.
 */
public final class ReadBack {
    private static final int SHOWN = 20;

    private ReadBack() { }

    public static void main(String[] args) throws Exception {
        Map<String, Definitions.Definition> definitions = Definitions.all();
        Map<String, TreeSet<Short>> seen = new TreeMap<>();
        ArrayNode differences = JsonNodeFactory.instance.arrayNode();
        int values = 0;
        int different = 0;
        try (BufferedReader lines = Files.newBufferedReader(Path.of(args[0]))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] parts = line.split(" ", 4);
                String difference = difference(definitions.get(parts[0]), Short.parseShort(parts[1]), parts[2], parts[3]);
                values++;
                seen.computeIfAbsent(parts[0], key -> new TreeSet<>()).add(Short.parseShort(parts[1]));
                if (difference == null) continue;
                if (different++ < SHOWN) differences.add("line " + values + ", " + parts[0] + " v" + parts[1] + ": " + difference);
            }
        }
        ArrayNode unseen = JsonNodeFactory.instance.arrayNode();
        for (Definitions.Definition definition : definitions.values()) {
            if (definition.type() == null) continue;
            Schema[] schemas = definition.schemas();
            TreeSet<Short> versions = seen.getOrDefault(definition.name(), new TreeSet<>());
            for (short version = 0; version < schemas.length; version++) {
                if (schemas[version] != null && !versions.contains(version)) unseen.add(definition.name() + " v" + version);
            }
        }
        ObjectNode report = JsonNodeFactory.instance.objectNode();
        report.put("messages", seen.size()).put("versions", seen.values().stream().mapToInt(TreeSet::size).sum()).put("values", values);
        report.put("different", different).set("differences", differences);
        report.set("unseen", unseen);
        System.out.println(report);
    }

    /** What is wrong with a line; null when nothing is. */
    private static String difference(Definitions.Definition definition, short version, String hex, String json) throws Exception {
        if (definition == null || definition.type() == null) return "Java has no such message";
        Schema[] schemas = definition.schemas();
        if (version >= schemas.length || schemas[version] == null) return "Java has no such version";
        byte[] bytes = HexFormat.of().parseHex(hex);
        Message message = definition.create();
        try {
            Values.read(message, bytes, version);
        } catch (RuntimeException error) {
            return "Java cannot read it: " + error;
        }
        JsonNode expected = Definitions.MAPPER.readTree(json);
        // Values.difference speaks of a path; a blank in front of it when the value itself differs.
        String difference = Values.difference(Values.printed(message, schemas[version]), expected);
        if (difference != null) return "Java reads " + difference;
        byte[] rewritten = Values.bytes(message, version);
        return Arrays.equals(bytes, rewritten) ? null : "Java writes " + HexFormat.of().formatHex(rewritten) + " and not " + hex;
    }
}

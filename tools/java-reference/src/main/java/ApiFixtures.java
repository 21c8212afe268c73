import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * Writes fixtures/api/NN-name/{request,response}.json and fixtures/embedded/name.json: values and the bytes that Kafka's
 * generated classes make of them, for every version of every message; files above 64 KB are gzipped. Also writes
 * fixtures/error-codes.json. Deterministic. The cases of a version:
 *
 * full: every field is set, two elements in arrays. nested: arrays of three, whose elements have arrays of none, one and
 * three. null: null wherever it is allowed. inner-null: the same, but not in place of structs and arrays of them. tags:
 * unknown tagged fields in every struct. empty: empty strings, bytes and records. text: strings beyond ASCII. least,
 * most: the edges of all numbers, int64 at 2^53-1. default: an untouched object. sparse: one untouched element in every
 * array. int64 PATH: sparse, with one int64 field at an edge of 64 bits or at the first number that JavaScript cannot
 * hold. Equal values share one entry, under the first of these names; every version has its full.
 *
 * Usage: mvn -q compile exec:java -Dexec.mainClass=ApiFixtures -Dexec.args=../../fixtures
 */
public final class ApiFixtures {
    private static final int GZIPPED_FROM_BYTES = 65_536;
    private static final long[] EDGES = {Long.MIN_VALUE, -(1L << 53), 1L << 53, Long.MAX_VALUE};

    /** A case and how it fills a message. */
    private record Case(String name, Samples.Style style) { }

    private static final List<Case> CASES = List.of(
        new Case("full", new Samples.Style() {
            @Override int count(int depth, int index) {
                return depth < 2 ? 2 : 1;
            }
        }),
        new Case("nested", new Samples.Style() {
            @Override int count(int depth, int index) {
                return depth == 0 ? 3 : new int[] {0, 1, 3}[index];
            }
        }),
        new Case("null", new Samples.Style() {
            @Override boolean isNull(Type type) {
                return true;
            }
        }),
        new Case("inner-null", new Samples.Style() {
            @Override boolean isNull(Type type) {
                return Values.structOf(type) == null;
            }
        }),
        new Case("tags", new Samples.Style() {
            @Override boolean hasUnknownTags() {
                return true;
            }
        }),
        new Case("empty", new Samples.Style() {
            @Override Object leaf(String kind, int seed) {
                return switch (kind) {
                    case "string" -> "";
                    case "bytes" -> new byte[0];
                    case "records" -> MemoryRecords.EMPTY;
                    default -> Samples.ordinary(kind, seed);
                };
            }
        }),
        new Case("text", new Samples.Style() {
            @Override Object leaf(String kind, int seed) {
                return kind.equals("string") ? Samples.beyondAscii(seed) : Samples.ordinary(kind, seed);
            }
        }),
        new Case("least", new Samples.Style() {
            @Override Object leaf(String kind, int seed) {
                return Samples.extreme(kind, seed, false);
            }
        }),
        new Case("most", new Samples.Style() {
            @Override Object leaf(String kind, int seed) {
                return Samples.extreme(kind, seed, true);
            }
        }));

    private ApiFixtures() { }

    public static void main(String[] args) throws Exception {
        Path fixtures = Path.of(args[0]);
        writeErrorCodes(fixtures.resolve("error-codes.json"));
        for (Definitions.Definition definition : Definitions.all().values()) {
            if (definition.type() != null) write(fixtures, definition);
        }
    }

    private static void writeErrorCodes(Path file) throws IOException {
        List<String> lines = new ArrayList<>();
        for (Errors error : Errors.values()) {
            ObjectNode entry = JsonNodeFactory.instance.objectNode();
            entry.put("code", error.code()).put("name", error.name());
            entry.put("retriable", error.exception() instanceof RetriableException);
            lines.add(Definitions.MAPPER.writeValueAsString(entry));
        }
        Files.writeString(file, "[\n" + String.join(",\n", lines) + "\n]\n");
    }

    private static void write(Path fixtures, Definitions.Definition definition) throws Exception {
        Map<String, ObjectNode> entries = new LinkedHashMap<>();
        Schema[] schemas = definition.schemas();
        for (short version = 0; version < schemas.length; version++) {
            if (schemas[version] != null) addVersion(entries, definition, version, schemas[version]);
        }
        List<String> lines = new ArrayList<>();
        for (ObjectNode entry : entries.values()) lines.add(Definitions.MAPPER.writeValueAsString(entry));
        String origin = definition.type().getName() + " of " + definition.artifact() + ", by tools/java-reference/ApiFixtures.java";
        byte[] text = ("{\n\"origin\": \"" + origin + "\",\n\"message\": \"" + definition.name() + "\",\n\"cases\": [\n"
            + String.join(",\n", lines) + "\n]\n}\n").getBytes(StandardCharsets.UTF_8);
        boolean isGzipped = text.length > GZIPPED_FROM_BYTES;
        String stem = stem(definition);
        Files.createDirectories(fixtures.resolve(stem).getParent());
        Files.deleteIfExists(fixtures.resolve(stem + (isGzipped ? ".json" : ".json.gz")));
        try (OutputStream file = Files.newOutputStream(fixtures.resolve(stem + (isGzipped ? ".json.gz" : ".json")));
             OutputStream out = isGzipped ? new GZIPOutputStream(file) : file) {
            out.write(text);
        }
    }

    /** Such as `api/01-fetch/request`. */
    private static String stem(Definitions.Definition definition) {
        String side = definition.facts().get("type").asText();
        if (!side.equals("request") && !side.equals("response")) return "embedded/" + kebabCase(definition.name());
        String api = definition.name().replaceFirst("(Request|Response)$", "");
        return String.format(Locale.ROOT, "api/%02d-%s/%s", definition.facts().get("apiKey").asInt(), kebabCase(api), side);
    }

    private static String kebabCase(String name) {
        return name.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "-").toLowerCase(Locale.ROOT);
    }

    private static void addVersion(Map<String, ObjectNode> entries, Definitions.Definition definition, short version, Schema schema)
            throws Exception {
        for (Case each : CASES) add(entries, each.name, version, schema, Samples.filled(definition.create(), schema, each.style));
        add(entries, "default", version, schema, definition.create());
        add(entries, "sparse", version, schema, sparse(definition, schema));
        for (Samples.Struct struct : Samples.structs(definition.type(), schema)) {
            for (Values.Member member : Values.members(struct.type(), struct.schema())) {
                Type leaf = member.type().isArray() ? member.type().arrayElementType().orElseThrow() : member.type();
                if (Values.structOf(leaf) == null && Values.kind(leaf).equals("int64")) {
                    addEdges(entries, definition, version, schema, struct.path().then(member));
                }
            }
        }
    }

    private static void addEdges(Map<String, ObjectNode> entries, Definitions.Definition definition, short version, Schema schema,
                                 Samples.Path path) throws Exception {
        for (long edge : EDGES) {
            Message message = Samples.with(sparse(definition, schema), path, new Samples.Style() {
                @Override Object leaf(String kind, int seed) {
                    return edge;
                }
            });
            add(entries, "int64 " + path, version, schema, message);
        }
    }

    private static Message sparse(Definitions.Definition definition, Schema schema) throws ReflectiveOperationException {
        return Samples.withElements(definition.create(), schema);
    }

    private static void add(Map<String, ObjectNode> entries, String name, short version, Schema schema, Message message)
            throws Exception {
        String hex = HexFormat.of().formatHex(Values.bytes(message, version));
        ObjectNode value = Values.printed(message, schema);
        ObjectNode entry = entries.computeIfAbsent(value.toString(), key -> {
            ObjectNode created = JsonNodeFactory.instance.objectNode();
            created.put("case", name).set("value", value);
            created.set("hex", JsonNodeFactory.instance.objectNode());
            return created;
        });
        ((ObjectNode) entry.get("hex")).put(String.valueOf(version), hex);
    }
}

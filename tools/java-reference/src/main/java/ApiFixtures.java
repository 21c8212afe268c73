import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BinaryNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;

/**
 * Writes fixtures/api/NN-name/{request,response}.json and fixtures/embedded/*.json: values and the bytes that Kafka's
 * generated classes make of them, for every version of every message in fixtures/definitions. Also writes
 * fixtures/error-codes.json. Deterministic.
 *
 * Per version: "default" is an untouched object, "sparse" has one untouched element in every array, "full" has every
 * field set, "null" is "full" with null wherever it is allowed. Equal values share one entry.
 *
 * Usage: mvn -q compile exec:java -Dexec.mainClass=ApiFixtures -Dexec.args=../../fixtures
 */
public final class ApiFixtures {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private ApiFixtures() { }

    public static void main(String[] args) throws Exception {
        Path fixtures = Path.of(args[0]);
        writeErrorCodes(fixtures.resolve("error-codes.json"));
        try (Stream<Path> files = Files.list(fixtures.resolve("definitions"))) {
            for (Path file : (Iterable<Path>) files.sorted()::iterator) {
                JsonNode definition = MAPPER.readTree(file.toFile());
                String stem = file.getFileName().toString().replace(".json", "");
                if (definition.has("apiKey")) {
                    for (String side : List.of("request", "response")) {
                        String name = definition.get(side).get("name").asText();
                        write(fixtures.resolve("api").resolve(stem).resolve(side + ".json"), name + "Data");
                    }
                } else {
                    String name = definition.get("message").get("name").asText();
                    String type = name.endsWith("Header") ? name + "Data" : name;
                    write(fixtures.resolve("embedded").resolve(stem + ".json"), type);
                }
            }
        }
    }

    private static void writeErrorCodes(Path file) throws IOException {
        StringBuilder text = new StringBuilder("[\n");
        for (Errors error : Errors.values()) {
            ObjectNode entry = NODES.objectNode();
            entry.put("code", error.code()).put("name", error.name());
            entry.put("retriable", error.exception() instanceof RetriableException);
            text.append(text.length() > 2 ? ",\n" : "").append(MAPPER.writeValueAsString(entry));
        }
        Files.writeString(file, text.append("\n]\n"));
    }

    private static void write(Path file, String className) throws Exception {
        Class<?> type = Class.forName("org.apache.kafka.common.message." + className);
        Schema[] schemas = (Schema[]) type.getField("SCHEMAS").get(null);
        Map<String, ObjectNode> entries = new LinkedHashMap<>();
        for (short version = 0; version < schemas.length; version++) {
            Schema schema = schemas[version];
            if (schema == null) continue;
            add(entries, "default", version, (Message) type.getConstructor().newInstance());
            Message sparse = (Message) type.getConstructor().newInstance();
            addElements(sparse, schema);
            add(entries, "sparse", version, sparse);
            for (boolean nulls : new boolean[] {false, true}) {
                JsonNode value = object(schema, type, className, nulls);
                Method read = converter(type).getMethod("read", JsonNode.class, short.class);
                Message message = (Message) read.invoke(null, value, version);
                add(entries, nulls ? "null" : "full", version, value, bytes(message, version));
            }
        }
        Files.createDirectories(file.getParent());
        StringBuilder text = new StringBuilder("[\n");
        for (ObjectNode entry : entries.values()) {
            text.append(text.length() > 2 ? ",\n" : "").append(MAPPER.writeValueAsString(entry));
        }
        Files.writeString(file, text.append("\n]\n"));
    }

    private static Class<?> converter(Class<?> type) throws ClassNotFoundException {
        return Class.forName(type.getName() + "JsonConverter");
    }

    private static void add(Map<String, ObjectNode> entries, String name, short version, Message message) throws Exception {
        Class<?> type = message.getClass();
        String hex;
        try {
            hex = bytes(message, version);
        } catch (NullPointerException error) {
            // Records that may not be null are null in an untouched object: Java itself cannot write it.
            return;
        }
        JsonNode value = (JsonNode) converter(type).getMethod("write", type, short.class).invoke(null, message, version);
        add(entries, name, version, value, hex);
    }

    private static void add(Map<String, ObjectNode> entries, String name, short version, JsonNode value, String hex)
            throws IOException {
        JsonNode printed = printed(value);
        ObjectNode entry = entries.computeIfAbsent(MAPPER.writeValueAsString(printed), key -> {
            ObjectNode created = NODES.objectNode();
            created.put("case", name).set("value", printed);
            created.set("hex", NODES.objectNode());
            return created;
        });
        ((ObjectNode) entry.get("hex")).put(String.valueOf(version), hex);
    }

    private static String bytes(Message message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        if (buffer.hasRemaining()) throw new IllegalStateException(message + " is shorter than it said");
        return HexFormat.of().formatHex(buffer.array());
    }

    /** int64 as text: JSON numbers are not exact beyond 2^53. */
    private static JsonNode printed(JsonNode value) {
        if (value instanceof LongNode) return TextNode.valueOf(value.asText());
        if (value instanceof BinaryNode) return TextNode.valueOf(value.asText());
        if (value.isArray()) {
            ArrayNode array = NODES.arrayNode();
            value.forEach(element -> array.add(printed(element)));
            return array;
        }
        if (value.isObject()) {
            ObjectNode object = NODES.objectNode();
            value.fields().forEachRemaining(field -> object.set(field.getKey(), printed(field.getValue())));
            return object;
        }
        return value;
    }

    /** Puts one untouched element into every array of structs that the version has, and into those inside. */
    @SuppressWarnings("unchecked")
    private static void addElements(Object message, Schema schema) throws Exception {
        for (Field field : fields(schema)) {
            if (!field.type.isArray() || !(field.type.arrayElementType().orElseThrow() instanceof Schema elementSchema)) continue;
            Method getter = getter(message.getClass(), field);
            Collection<Object> elements = (Collection<Object>) getter.invoke(message);
            if (elements == null) continue;
            Object element = elementType(getter.getGenericReturnType()).getConstructor().newInstance();
            addElements(element, elementSchema);
            elements.add(element);
        }
    }

    private static Class<?> elementType(Type collection) {
        Type generic = collection instanceof Class<?> named ? named.getGenericSuperclass() : collection;
        return (Class<?>) ((ParameterizedType) generic).getActualTypeArguments()[0];
    }

    /** All fields of a schema, tagged ones included. */
    private static List<Field> fields(Schema schema) {
        List<Field> fields = new ArrayList<>();
        for (BoundField bound : schema.fields()) {
            if (bound.def.type instanceof TaggedFields tagged) fields.addAll(new TreeMap<>(tagged.fields()).values());
            else fields.add(bound.def);
        }
        return fields;
    }

    private static ObjectNode object(Schema schema, Class<?> owner, String path, boolean nulls)
            throws ReflectiveOperationException {
        ObjectNode object = NODES.objectNode();
        for (Field field : fields(schema)) {
            Method getter = getter(owner, field);
            object.set(getter.getName(), value(field.type, getter.getGenericReturnType(), path + "." + getter.getName(), nulls));
        }
        return object;
    }

    private static JsonNode value(org.apache.kafka.common.protocol.types.Type type, Type java, String path, boolean nulls)
            throws ReflectiveOperationException {
        if (nulls && type.isNullable()) return NullNode.instance;
        if (type instanceof Schema schema) return object(schema, (Class<?>) java, path, nulls);
        if (type.isArray()) {
            ArrayNode array = NODES.arrayNode();
            for (int index = 0; index < 2; index++) {
                array.add(value(type.arrayElementType().orElseThrow(), elementType(java), path + "[" + index + "]", nulls));
            }
            return array;
        }
        // The same path has the same value in every version, so that versions can share an entry.
        int seed = path.hashCode() & 0x7fffffff;
        switch (type.toString().replace("COMPACT_", "").replace("NULLABLE_", "")) {
            case "BOOLEAN": return BooleanNode.TRUE;
            case "INT8": return IntNode.valueOf(-(1 + seed % 100));
            case "INT16": return IntNode.valueOf(-(1 + seed % 30000));
            case "UINT16": return IntNode.valueOf(40000 + seed % 20000);
            case "INT32": return IntNode.valueOf(seed - 0x40000000);
            // Producer ids use all 64 bits; what stands for a JavaScript number keeps to 53.
            case "INT64":
                long magnitude = isProducerId(path) ? 0x7000000000000000L + seed : 4_000_000L * seed;
                return LongNode.valueOf(seed % 2 == 0 ? magnitude : -magnitude);
            case "FLOAT64": return DoubleNode.valueOf(seed / 7.0);
            case "UUID": return TextNode.valueOf(new Uuid(0x1234567800000000L + seed, 0xfedcba9800000000L + seed).toString());
            case "STRING": return TextNode.valueOf(text(seed));
            default: return NODES.binaryNode(text(seed + 1).getBytes(StandardCharsets.UTF_8));
        }
    }

    private static boolean isProducerId(String path) {
        return path.substring(path.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT).contains("producerid");
    }

    /** Texts of one to four bytes per character, some longer than 127 bytes, one empty. */
    private static String text(int seed) {
        switch (seed % 8) {
            case 0: return "";
            case 1: return "caf\u00e9-" + seed;
            case 2: return "\u6771\u4eac-" + seed;
            case 3: return "\ud83d\ude80 " + seed;
            case 4: return "long-".repeat(30) + seed;
            case 5: return "\u00fc".repeat(70);
            default: return "text-" + seed;
        }
    }

    /** The getter of a field that a schema names in snake case; words cannot be told from `kraft_version` alone. */
    private static Method getter(Class<?> owner, Field field) throws NoSuchMethodException {
        for (Method method : owner.getDeclaredMethods()) {
            boolean isGetter = method.getParameterCount() == 0 && method.getReturnType() != void.class;
            if (isGetter && method.getName().equalsIgnoreCase(field.name.replace("_", ""))) return method;
        }
        throw new NoSuchMethodException(owner + " has no " + field.name);
    }
}

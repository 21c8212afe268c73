import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * Java's messages as JSON and as bytes. The JSON has all fields of a version by the names of their getters; int64 and what
 * JSON has no number for are text, bytes and records base64; a struct's unknown tagged fields are its `unknownTags`.
 * Kafka's own JSON converters leave out records and unknown tags, which is why they do not do this.
 */
final class Values {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private Values() { }

    /** The fields of a version, as they are in Java's object. */
    static ObjectNode printed(Message message, Schema schema) throws ReflectiveOperationException {
        ObjectNode object = NODES.objectNode();
        for (Member member : members(message.getClass(), schema)) {
            object.set(member.getter.getName(), printed(member.getter.invoke(message), member.type));
        }
        List<RawTaggedField> unknown = message.unknownTaggedFields();
        if (!unknown.isEmpty()) {
            ArrayNode array = object.putArray("unknownTags");
            for (RawTaggedField field : unknown) array.addObject().put("tag", field.tag()).put("data", base64(field.data()));
        }
        return object;
    }

    static JsonNode printed(Object value, Type type) throws ReflectiveOperationException {
        if (value == null) return NullNode.instance;
        if (type instanceof Schema schema) return printed((Message) value, schema);
        if (value instanceof Collection<?> elements) {
            Type elementType = type.arrayElementType().orElseThrow();
            ArrayNode array = NODES.arrayNode();
            for (Object element : elements) array.add(printed(element, elementType));
            return array;
        }
        if (value instanceof Boolean bool) return NODES.booleanNode(bool);
        // The one type of Java's long that JSON carries exactly is uint32.
        if (value instanceof Long number) return kind(type).equals("int64") ? TextNode.valueOf(number.toString()) : NODES.numberNode((long) number);
        if (value instanceof Double number) {
            boolean isJson = Double.isFinite(number) && !number.equals(-0.0);
            return isJson ? NODES.numberNode((double) number) : TextNode.valueOf(number.toString());
        }
        if (value instanceof Number number) return NODES.numberNode(number.intValue());
        if (value instanceof String || value instanceof Uuid) return TextNode.valueOf(value.toString());
        if (value instanceof byte[] bytes) return TextNode.valueOf(base64(bytes));
        ByteBuffer buffer = value instanceof MemoryRecords records ? records.buffer() : (ByteBuffer) value;
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return TextNode.valueOf(base64(bytes));
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    /** Where two printed values differ first, such as "topics[0].name: "a" and not "b""; null when they are equal. */
    static String difference(JsonNode actual, JsonNode expected) {
        if (actual.isObject() && expected.isObject()) {
            for (Iterator<String> names = expected.fieldNames(); names.hasNext();) {
                String name = names.next();
                if (!actual.has(name)) return name + ": missing";
            }
            for (Iterator<Map.Entry<String, JsonNode>> fields = actual.fields(); fields.hasNext();) {
                Map.Entry<String, JsonNode> field = fields.next();
                if (!expected.has(field.getKey())) return field.getKey() + ": surplus";
                String inner = difference(field.getValue(), expected.get(field.getKey()));
                if (inner != null) return joined(field.getKey(), inner);
            }
            return null;
        }
        if (actual.isArray() && expected.isArray()) {
            if (actual.size() != expected.size()) return ": " + actual.size() + " elements and not " + expected.size();
            for (int index = 0; index < actual.size(); index++) {
                String inner = difference(actual.get(index), expected.get(index));
                if (inner != null) return joined("[" + index + "]", inner);
            }
            return null;
        }
        // -0 is not 0, and int32 in one class of nodes equals int32 in another.
        boolean equal = actual.isNumber() && expected.isNumber()
            ? actual.isIntegralNumber() && expected.isIntegralNumber() ? actual.longValue() == expected.longValue()
                : Double.compare(actual.doubleValue(), expected.doubleValue()) == 0
            : actual.equals(expected);
        return equal ? null : ": " + actual + " and not " + expected;
    }

    private static String joined(String name, String inner) {
        return name + (inner.startsWith("[") || inner.startsWith(":") ? "" : ".") + inner;
    }

    static byte[] bytes(Message message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        if (buffer.hasRemaining()) throw new IllegalStateException(message + " is shorter than it said");
        return buffer.array();
    }

    /** Reads a message; bytes after it are an error. */
    static void read(Message into, byte[] bytes, short version) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        into.read(new ByteBufferAccessor(buffer), version);
        if (buffer.hasRemaining()) throw new IllegalStateException(buffer.remaining() + " bytes are left");
    }

    /** The name of a primitive in Kafka's definitions: `string` for every form of it. */
    static String kind(Type type) {
        String name = type.toString().replace("COMPACT_", "").replace("NULLABLE_", "");
        return name.equals("BOOLEAN") ? "bool" : name.equals("UNSIGNED_INT32") ? "uint32" : name.toLowerCase(java.util.Locale.ROOT);
    }

    /** A field of a version and how Java's class gives it out; `tag` is -1 for fields without. */
    record Member(String name, Type type, int tag, Method getter) { }

    private static final Map<Class<?>, Map<Schema, List<Member>>> MEMBERS = new HashMap<>();

    /** All fields of a schema in their order, tagged ones at the end by their tags. */
    static List<Member> members(Class<?> owner, Schema schema) throws NoSuchMethodException {
        Map<Schema, List<Member>> known = MEMBERS.computeIfAbsent(owner, key -> new IdentityHashMap<>());
        List<Member> members = known.get(schema);
        if (members != null) return members;
        members = new ArrayList<>();
        for (BoundField bound : schema.fields()) {
            if (bound.def.type instanceof TaggedFields tagged) {
                for (Map.Entry<Integer, Field> entry : new TreeMap<>(tagged.fields()).entrySet()) {
                    members.add(member(owner, entry.getValue(), entry.getKey()));
                }
            } else members.add(member(owner, bound.def, -1));
        }
        known.put(schema, members);
        return members;
    }

    /** A schema names its fields in snake case; from `kraft_version` alone the words cannot be told. */
    private static Member member(Class<?> owner, Field field, int tag) throws NoSuchMethodException {
        for (Method method : owner.getDeclaredMethods()) {
            boolean isGetter = method.getParameterCount() == 0 && method.getReturnType() != void.class;
            if (isGetter && method.getName().equalsIgnoreCase(field.name.replace("_", ""))) {
                return new Member(field.name, field.type, tag, method);
            }
        }
        throw new NoSuchMethodException(owner + " has no " + field.name);
    }

    /** The struct in a field, or in the elements of an array; null for all other fields. */
    static Schema structOf(Type type) {
        Type inner = type.isArray() ? type.arrayElementType().orElseThrow() : type;
        return inner instanceof Schema schema ? schema : null;
    }

    /** The exception that a reflective call hides. */
    static Throwable cause(Throwable error) {
        return error instanceof InvocationTargetException wrapped ? wrapped.getTargetException() : error;
    }
}

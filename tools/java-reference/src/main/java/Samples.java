import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/**
 * Fills Kafka's message objects, whatever message they are, by the style of a case. Deterministic; a path has the same
 * value in every version, so that versions can share an entry of a fixture.
 */
final class Samples {
    /** Numbers beyond it are not exact in JavaScript. */
    private static final long SAFE = (1L << 53) - 1;

    /** How a case fills a message. */
    static class Style {
        /** Elements of an array `depth` arrays deep, in an element that is the `index`-th of its own array. */
        int count(int depth, int index) {
            return 1;
        }

        boolean isNull(Type type) {
            return false;
        }

        /** The value of a leaf; `seed` comes from its path. */
        Object leaf(String kind, int seed) {
            return ordinary(kind, seed);
        }

        boolean hasUnknownTags() {
            return false;
        }
    }

    private Samples() { }

    /** Sets all fields of a version. */
    static <T extends Message> T filled(T message, Schema schema, Style style) throws ReflectiveOperationException {
        fill(message, schema, style, message.getClass().getSimpleName(), 0, 0);
        return message;
    }

    private static void fill(Message into, Schema schema, Style style, String path, int depth, int index)
            throws ReflectiveOperationException {
        for (Values.Member member : Values.members(into.getClass(), schema)) {
            Method setter = setter(into.getClass(), member);
            java.lang.reflect.Type java = setter.getGenericParameterTypes()[0];
            setter.invoke(into, value(member.type(), java, style, path + "." + member.getter().getName(), depth, index));
        }
        boolean isFlexible = List.of(schema.fields()).stream().anyMatch(field -> field.def.type instanceof TaggedFields);
        if (!isFlexible || !style.hasUnknownTags()) return;
        Set<Integer> known = new TreeSet<>();
        for (Schema each : (Schema[]) into.getClass().getField("SCHEMAS").get(null)) {
            if (each == null) continue;
            for (Values.Member member : Values.members(into.getClass(), each)) known.add(member.tag());
        }
        int hole = 0;
        // Java refuses a tag in a version that has not got it yet, and writes it in the wrong place.
        while (known.contains(hole)) hole++;
        // The highest tag is Integer.MAX_VALUE, but Java's own writer fails there.
        for (int tag : new int[] {hole, 300, Integer.MAX_VALUE - 1}) {
            byte[] data = new byte[tag == hole ? 3 : tag == 300 ? 0 : 130];
            for (int position = 0; position < data.length; position++) data[position] = (byte) (path.length() + 7 * position);
            into.unknownTaggedFields().add(new RawTaggedField(tag, data));
        }
    }

    private static Object value(Type type, java.lang.reflect.Type java, Style style, String path, int depth, int index)
            throws ReflectiveOperationException {
        if (type.isNullable() && style.isNull(type)) return null;
        if (type instanceof Schema schema) {
            Message struct = (Message) ((Class<?>) java).getConstructor().newInstance();
            fill(struct, schema, style, path, depth, index);
            return struct;
        }
        if (type.isArray()) {
            Collection<Object> elements = newCollection(java);
            for (int element = 0; element < style.count(depth, index); element++) {
                String inner = path + "[" + element + "]";
                elements.add(value(type.arrayElementType().orElseThrow(), elementType(java), style, inner, depth + 1, element));
            }
            return elements;
        }
        return inJava(style.leaf(Values.kind(type), path.hashCode() & 0x7fffffff), java);
    }

    /** Puts `count` untouched elements into every array of structs that the version has, and into those inside. */
    @SuppressWarnings("unchecked")
    static <T extends Message> T withElements(T message, Schema schema) throws ReflectiveOperationException {
        for (Values.Member member : Values.members(message.getClass(), schema)) {
            Schema struct = Values.structOf(member.type());
            if (Values.kind(member.type()).equals("records") && !member.type().isNullable()) {
                // Null in an untouched object all the same, which Java itself cannot write.
                setter(message.getClass(), member).invoke(message, MemoryRecords.EMPTY);
            }
            if (struct == null || !member.type().isArray()) continue;
            java.lang.reflect.Type java = member.getter().getGenericReturnType();
            Collection<Object> elements = (Collection<Object>) member.getter().invoke(message);
            if (elements == null) {
                elements = newCollection(java);
                setter(message.getClass(), member).invoke(message, elements);
            }
            elements.add(withElements((Message) ((Class<?>) elementType(java)).getConstructor().newInstance(), struct));
        }
        return message;
    }

    /** A field of a message and the structs on the way to it. */
    record Path(List<Values.Member> members) {
        Path then(Values.Member member) {
            List<Values.Member> longer = new ArrayList<>(members);
            longer.add(member);
            return new Path(longer);
        }

        Values.Member last() {
            return members.get(members.size() - 1);
        }

        /** Such as `topics.partitions.offset`. */
        @Override public String toString() {
            return members.stream().map(member -> member.getter().getName()).collect(Collectors.joining("."));
        }
    }

    /** A struct that a version has, and the way to it; the message itself is one. */
    record Struct(Path path, Class<?> type, Schema schema) { }

    /** All structs of a message that a version has. */
    static List<Struct> structs(Class<?> type, Schema schema) throws NoSuchMethodException {
        List<Struct> found = new ArrayList<>();
        addStructs(found, new Struct(new Path(List.of()), type, schema));
        return found;
    }

    private static void addStructs(List<Struct> found, Struct struct) throws NoSuchMethodException {
        found.add(struct);
        for (Values.Member member : Values.members(struct.type, struct.schema)) {
            Schema inner = Values.structOf(member.type());
            if (inner != null) addStructs(found, new Struct(struct.path.then(member), structClass(member), inner));
        }
    }

    /** The class of the struct in a field, or in the elements of an array. */
    static Class<?> structClass(Values.Member member) {
        java.lang.reflect.Type java = member.getter().getGenericReturnType();
        return (Class<?>) (member.type().isArray() ? elementType(java) : java);
    }

    /** Sets one field, of the one element where the path leads through an array. */
    static <T extends Message> T with(T message, Path path, Style style) throws ReflectiveOperationException {
        with(message, path.members, style, path.toString());
        return message;
    }

    private static void with(Message message, List<Values.Member> path, Style style, String name) throws ReflectiveOperationException {
        Values.Member member = path.get(0);
        Method setter = setter(message.getClass(), member);
        if (path.size() == 1) {
            setter.invoke(message, value(member.type(), setter.getGenericParameterTypes()[0], style, name, 0, 0));
            return;
        }
        Object inner = member.getter().invoke(message);
        if (inner == null) {
            inner = structClass(member).getConstructor().newInstance();
            setter.invoke(message, inner);
        }
        with((Message) (inner instanceof Collection<?> elements ? elements.iterator().next() : inner), path.subList(1, path.size()), style, name);
    }

    static Object ordinary(String kind, int seed) {
        return switch (kind) {
            case "bool" -> true;
            case "int8" -> -(1L + seed % 100);
            case "int16" -> -(1L + seed % 30_000);
            case "uint16" -> 40_000L + seed % 20_000;
            case "int32" -> seed - 0x40000000L;
            case "uint32" -> 0x90000000L + seed % 0x60000000;
            case "int64" -> seed % 2 == 0 ? 4_000_000L * seed : -4_000_000L * seed;
            case "float64" -> seed / 7.0;
            case "uuid" -> new Uuid(0x1234567800000000L + seed, 0xfedcba9800000000L + seed);
            case "string" -> text(seed);
            case "bytes" -> text(seed + 1).getBytes(StandardCharsets.UTF_8);
            case "records" -> batch(seed);
            default -> throw new IllegalArgumentException(kind);
        };
    }

    /** The lowest or the highest value; int64 within what a JavaScript number holds. */
    static Object extreme(String kind, int seed, boolean highest) {
        return switch (kind) {
            case "bool" -> highest;
            case "int8" -> highest ? 127L : -128L;
            case "int16" -> highest ? 32_767L : -32_768L;
            case "uint16" -> highest ? 65_535L : 0L;
            case "int32" -> highest ? Integer.MAX_VALUE + 0L : Integer.MIN_VALUE + 0L;
            case "uint32" -> highest ? 0xffffffffL : 0L;
            case "int64" -> highest ? SAFE : -SAFE;
            case "float64" -> highest ? Double.POSITIVE_INFINITY : -0.0;
            case "uuid" -> highest ? new Uuid(-1, -1) : Uuid.ZERO_UUID;
            default -> ordinary(kind, seed);
        };
    }

    /** Texts of one to four bytes per character, some longer than 127 bytes, one empty. */
    private static String text(int seed) {
        return seed % 8 == 0 ? "" : seed % 8 < 4 ? beyondAscii(seed) : seed % 8 == 4 ? "long-".repeat(30) + seed : "text-" + seed;
    }

    /** Of two, three and four bytes per character; every fourth one is longer than 127 bytes. */
    static String beyondAscii(int seed) {
        return switch (seed % 4) {
            case 0 -> "\u00fc\0".repeat(70);
            case 1 -> "caf\u00e9-" + seed;
            case 2 -> "\u6771\u4eac-" + seed;
            default -> "\ud83d\ude80 " + seed;
        };
    }

    private static MemoryRecords batch(int seed) {
        byte[] value = text(seed).getBytes(StandardCharsets.UTF_8);
        SimpleRecord record = new SimpleRecord(1_750_000_000_000L + seed, ("key-" + seed).getBytes(StandardCharsets.UTF_8), value);
        return MemoryRecords.withRecords(Compression.NONE, record);
    }

    /** A leaf in the class that a setter takes. */
    private static Object inJava(Object value, java.lang.reflect.Type java) {
        if (value instanceof byte[] bytes && java == ByteBuffer.class) return ByteBuffer.wrap(bytes);
        if (!(value instanceof Long number)) return value;
        if (java == byte.class || java == Byte.class) return number.byteValue();
        if (java == short.class || java == Short.class) return number.shortValue();
        return java == int.class || java == Integer.class ? (Object) number.intValue() : number;
    }

    private static Method setter(Class<?> owner, Values.Member member) throws NoSuchMethodException {
        String name = member.getter().getName();
        return owner.getMethod("set" + Character.toUpperCase(name.charAt(0)) + name.substring(1), member.getter().getReturnType());
    }

    @SuppressWarnings("unchecked")
    private static Collection<Object> newCollection(java.lang.reflect.Type java) throws ReflectiveOperationException {
        return java instanceof Class<?> named ? (Collection<Object>) named.getConstructor().newInstance() : new ArrayList<>();
    }

    private static java.lang.reflect.Type elementType(java.lang.reflect.Type collection) {
        java.lang.reflect.Type generic = collection instanceof Class<?> named ? named.getGenericSuperclass() : collection;
        return ((ParameterizedType) generic).getActualTypeArguments()[0];
    }
}

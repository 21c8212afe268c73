import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.types.ArrayOf;
import org.apache.kafka.common.protocol.types.CompactArrayOf;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;

/**
 * Prints what Java knows of its messages, one JSON object a line. `api`: a member of ApiMessageType. `message`: a message
 * with its definition as it lies in the jar (`facts`) and, by version, its fields as reflection finds them in the
 * generated class: names of the getters, types of the schema, defaults of an untouched object; and what happens to the
 * fields that the version is missing.
 */
public final class DefinitionReport {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private DefinitionReport() { }

    public static void main(String[] args) throws Exception {
        for (ApiMessageType api : ApiMessageType.values()) {
            ObjectNode line = NODES.objectNode().put("kind", "api").put("key", api.apiKey()).put("name", api.name);
            line.put("min", api.lowestSupportedVersion()).put("max", api.highestSupportedVersion(true));
            line.put("stableMax", api.highestSupportedVersion(false)).put("unstable", api.latestVersionUnstable());
            ArrayNode headers = line.putArray("headers");
            for (short version = api.lowestSupportedVersion(); version <= api.highestSupportedVersion(true); version++) {
                headers.addArray().add(version).add(api.requestHeaderVersion(version)).add(api.responseHeaderVersion(version));
            }
            System.out.println(line);
        }
        for (Definitions.Definition definition : Definitions.all().values()) {
            ObjectNode line = NODES.objectNode().put("kind", "message").put("name", definition.name());
            line.put("artifact", definition.artifact()).put("hasClass", definition.type() != null).set("facts", definition.facts());
            ObjectNode versions = line.putObject("versions");
            Schema[] schemas = definition.type() == null ? new Schema[0] : definition.schemas();
            for (short version = 0; version < schemas.length; version++) {
                if (schemas[version] == null) continue;
                ObjectNode form = struct(definition.type(), schemas[version]);
                addMissing(form.putObject("missing"), definition, version, schemas[version]);
                versions.set(String.valueOf(version), form);
            }
            System.out.println(line);
        }
    }

    private static ObjectNode struct(Class<?> type, Schema schema) throws ReflectiveOperationException {
        ObjectNode struct = NODES.objectNode();
        struct.put("flexible", List.of(schema.fields()).stream().anyMatch(field -> field.def.type instanceof TaggedFields));
        ArrayNode fields = struct.putArray("fields");
        Message untouched = (Message) type.getConstructor().newInstance();
        for (Values.Member member : Values.members(type, schema)) fields.add(field(untouched, member));
        return struct;
    }

    private static ObjectNode field(Message untouched, Values.Member member) throws ReflectiveOperationException {
        Type type = member.type();
        Type element = type.isArray() ? type.arrayElementType().orElseThrow() : type;
        Schema inner = Values.structOf(type);
        ObjectNode field = NODES.objectNode().put("name", member.getter().getName());
        field.put("type", (type.isArray() ? "[]" : "") + (inner == null ? Values.kind(element) : "struct"));
        field.put("nullable", type.isNullable()).put("tag", member.tag());
        field.put("compact", isCompact(type)).put("compactElement", type.isArray() && isCompact(element));
        field.set("default", standard(member.getter().invoke(untouched), type));
        if (inner != null) field.set("struct", struct(Samples.structClass(member), inner));
        return field;
    }

    private static boolean isCompact(Type type) {
        if (type instanceof ArrayOf || type instanceof CompactArrayOf) return type instanceof CompactArrayOf;
        return type.toString().startsWith("COMPACT_");
    }

    private static JsonNode standard(Object value, Type type) throws ReflectiveOperationException {
        return value instanceof Message ? NODES.textNode("struct") : Values.printed(value, type);
    }

    /** By path, the fields of other versions: whether Java drops them when they are set, or refuses to write. */
    private static void addMissing(ObjectNode missing, Definitions.Definition definition, short version, Schema schema) throws Exception {
        for (Samples.Struct struct : Samples.structs(definition.type(), schema)) {
            Map<String, Values.Member> members = new TreeMap<>();
            for (Schema other : (Schema[]) struct.type().getField("SCHEMAS").get(null)) {
                if (other == null) continue;
                for (Values.Member member : Values.members(struct.type(), other)) members.put(member.getter().getName(), member);
            }
            for (Values.Member member : Values.members(struct.type(), struct.schema())) members.remove(member.getter().getName());
            Object untouched = struct.type().getConstructor().newInstance();
            for (Values.Member member : members.values()) {
                Samples.Path path = struct.path().then(member);
                Object standard = member.getter().invoke(untouched);
                Message message = Samples.with(Samples.withElements(definition.create(), schema), path, new Samples.Style() {
                    @Override Object leaf(String kind, int seed) {
                        if (kind.equals("bool")) return !Boolean.TRUE.equals(standard);
                        return kind.equals("string") ? Samples.beyondAscii(seed) : Samples.ordinary(kind, seed);
                    }
                });
                missing.put(path.toString(), isWritten(message, version) ? "dropped" : "refused");
            }
        }
    }

    private static boolean isWritten(Message message, short version) {
        try {
            Values.bytes(message, version);
            return true;
        } catch (UnsupportedVersionException error) {
            return false;
        }
    }
}

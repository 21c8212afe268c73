import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.coordinator.group.generated.OffsetCommitKey;
import org.apache.kafka.coordinator.share.generated.ShareSnapshotKey;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogKey;
import org.apache.kafka.raft.generated.QuorumStateData;
import org.apache.kafka.server.log.remote.metadata.storage.generated.ProducerSnapshot;

/** Every message definition that lies in Kafka's jars, with the class that Kafka generated from it. */
final class Definitions {
    static final ObjectMapper MAPPER = new ObjectMapper().configure(JsonParser.Feature.ALLOW_COMMENTS, true);

    /** One class of each jar with definitions; its neighbours are the jar's other messages. */
    private static final List<Class<?>> WITNESSES = List.of(FetchRequestData.class, OffsetCommitKey.class,
        TransactionLogKey.class, ShareSnapshotKey.class, TopicRecord.class, ProducerSnapshot.class, QuorumStateData.class);

    /** A message. `artifact` is such as "kafka-clients 4.4.0"; `type` is null for messages without any version. */
    record Definition(String artifact, JsonNode facts, Class<?> type) {
        String name() {
            return facts.get("name").asText();
        }

        /** Schemas by version; null where there is none. */
        Schema[] schemas() throws ReflectiveOperationException {
            return (Schema[]) type.getField("SCHEMAS").get(null);
        }

        Message create() throws ReflectiveOperationException {
            return (Message) type.getConstructor().newInstance();
        }
    }

    private Definitions() { }

    /** All messages by name, in the order of the jars and then of their names. */
    static Map<String, Definition> all() throws Exception {
        Map<String, Definition> all = new LinkedHashMap<>();
        for (Class<?> witness : WITNESSES) {
            for (Definition definition : of(witness)) {
                if (all.put(definition.name(), definition) != null) throw new IllegalStateException("two messages " + definition.name());
            }
        }
        return all;
    }

    private static List<Definition> of(Class<?> witness) throws Exception {
        Path path = Path.of(witness.getProtectionDomain().getCodeSource().getLocation().toURI());
        String artifact = path.getFileName().toString().replaceFirst("-(\\d.*)\\.jar$", " $1");
        List<Definition> found = new ArrayList<>();
        try (JarFile jar = new JarFile(path.toFile())) {
            for (Enumeration<JarEntry> entries = jar.entries(); entries.hasMoreElements();) {
                JarEntry entry = entries.nextElement();
                if (!entry.getName().matches("(common/)?(message|metadata)/\\w+\\.json")) continue;
                JsonNode facts = MAPPER.readTree(jar.getInputStream(entry));
                found.add(new Definition(artifact, facts, classOf(facts, witness.getPackageName())));
            }
        }
        found.sort((a, b) -> a.name().compareTo(b.name()));
        return found;
    }

    private static Class<?> classOf(JsonNode facts, String packageName) throws ClassNotFoundException {
        if (facts.get("validVersions").asText().equals("none")) return null;
        boolean hasSuffix = facts.get("type").asText().matches("request|response|header");
        return Class.forName(packageName + "." + facts.get("name").asText() + (hasSuffix ? "Data" : ""));
    }
}

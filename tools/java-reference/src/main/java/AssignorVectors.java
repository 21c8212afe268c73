import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.zip.GZIPOutputStream;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.GroupSubscription;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.RebalanceProtocol;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Utils;

/**
 * Writes fixtures/assignors/{roundrobin,sticky,cooperative-sticky}.json.gz: seeded groups that live through several
 * rounds, in which members come and go, change their topics, miss a generation, and topics grow; and what Kafka's own
 * assignor gives each member. RangeVectors writes range.json. Deterministic.
 *
 * A round is `exact` when Java gives the same answer whatever the order of members and topics in its maps; of the others
 * only the properties can be compared. Where Java's assignor fails of itself, in at least one order, the round has its
 * `failure` and is the last of its case.
 *
 * Usage: mvn -q compile exec:java -Dexec.mainClass=AssignorVectors -Dexec.args=../../fixtures/assignors
 */
public final class AssignorVectors {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final int CASES = 250;
    private static final int ORDERS = 6;
    private static final List<String> MEMBERS = List.of("consumer-1", "consumer-10", "consumer-2", "a", "B", "b", "\uFFFD",
        "\uD83D\uDE00", "__proto__", "constructor");
    private static final List<String> TOPICS = List.of("orders", "payments", "__proto__", "t1", "t10", "t2", "absent", "\u6771");
    private static final List<String> RACKS = List.of("a", "b", "c");
    private static final Comparator<TopicPartition> ORDER =
        Comparator.comparing(TopicPartition::topic).thenComparing(TopicPartition::partition);

    /** A member between the rounds; its own assignor keeps what sticky assignment remembers. */
    private static final class Member {
        final String id;
        final String instance;
        final String rack;
        final ConsumerPartitionAssignor assignor;
        List<String> topics;
        List<TopicPartition> owned = List.of();
        int generation = -1;

        Member(String id, String instance, String rack, ConsumerPartitionAssignor assignor, List<String> topics) {
            this.id = id;
            this.instance = instance;
            this.rack = rack;
            this.assignor = assignor;
            this.topics = topics;
        }

        boolean isCooperative() {
            return assignor.supportedProtocols().contains(RebalanceProtocol.COOPERATIVE);
        }

        /** What the member says when it joins; an eager one has given everything up before. */
        Subscription subscription() {
            ByteBuffer userData = assignor.subscriptionUserData(new TreeSet<>(topics));
            List<TopicPartition> kept = isCooperative() ? owned : List.of();
            Subscription subscription = new Subscription(topics, userData, kept, isCooperative() ? generation : -1, Optional.ofNullable(rack));
            subscription.setGroupInstanceId(Optional.ofNullable(instance));
            return subscription;
        }
    }

    private final Supplier<ConsumerPartitionAssignor> assignors;
    private final Random random;

    private AssignorVectors(Supplier<ConsumerPartitionAssignor> assignors, Random random) {
        this.assignors = assignors;
        this.random = random;
    }

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        write(folder, "roundrobin", RoundRobinAssignor::new, 1);
        write(folder, "sticky", StickyAssignor::new, 5);
        write(folder, "cooperative-sticky", CooperativeStickyAssignor::new, 5);
    }

    private static void write(Path folder, String name, Supplier<ConsumerPartitionAssignor> assignors, int rounds) throws Exception {
        AssignorVectors vectors = new AssignorVectors(assignors, new Random(42));
        List<String> lines = new ArrayList<>();
        for (int index = 0; index < CASES; index++) lines.add(vectors.rounds(1 + vectors.random.nextInt(rounds), index % 2 == 1).toString());
        String origin = assignors.get().getClass().getName() + " of kafka-clients " + org.apache.kafka.common.utils.internals.AppInfoParser.getVersion()
            + ", java.util.Random(42), by tools/java-reference/AssignorVectors.java; a case is a list of rounds; topics: [name, [racks of each"
            + " partition's replicas, a letter each]]; members: [memberId, instanceId, rack, topics, owned, generation, userData in base64];"
            + " owned and assigned: [topic, partitions]; exact: Java's answer does not depend on the order in its maps";
        String text = "{\n\"origin\": " + NODES.textNode(origin) + ",\n\"cases\": [\n" + String.join(",\n", lines) + "\n]\n}\n";
        try (OutputStream file = Files.newOutputStream(folder.resolve(name + ".json.gz")); OutputStream out = new GZIPOutputStream(file)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
    }

    private ArrayNode rounds(int count, boolean hasRacks) {
        ArrayNode rounds = NODES.arrayNode();
        Map<String, Integer> counts = new TreeMap<>();
        for (String topic : TOPICS) if (!topic.equals("absent")) counts.put(topic, random.nextInt(8) == 0 ? 0 : 1 + random.nextInt(9));
        boolean isUniform = random.nextBoolean();
        List<String> common = subscription();
        Map<String, Member> members = new TreeMap<>();
        int first = 1 + random.nextInt(6);
        for (int index = 0; index < first; index++) join(members, isUniform ? common : subscription(), hasRacks);
        for (int generation = 1; generation <= count; generation++) {
            if (generation > 1) change(members, counts, isUniform ? common : subscription(), hasRacks);
            ObjectNode round = round(members, counts, hasRacks, generation);
            rounds.add(round);
            if (round.has("failure")) break;
        }
        return rounds;
    }

    private void join(Map<String, Member> members, List<String> topics, boolean hasRacks) {
        String id = MEMBERS.get(random.nextInt(MEMBERS.size()));
        String instance = random.nextInt(3) == 0 ? "static-" + random.nextInt(1000) : null;
        String rack = hasRacks && random.nextInt(5) > 0 ? RACKS.get(random.nextInt(RACKS.size())) : null;
        members.putIfAbsent(id, new Member(id, instance, rack, assignors.get(), topics));
    }

    /** What happens to a group between two rounds. */
    private void change(Map<String, Member> members, Map<String, Integer> counts, List<String> topics, boolean hasRacks) {
        List<String> ids = new ArrayList<>(members.keySet());
        switch (random.nextInt(6)) {
            case 0, 1 -> join(members, topics, hasRacks);
            case 2 -> {
                if (ids.size() > 1) members.remove(ids.get(random.nextInt(ids.size())));
            }
            case 3 -> members.get(ids.get(random.nextInt(ids.size()))).topics = topics;
            case 4 -> counts.computeIfPresent(TOPICS.get(random.nextInt(TOPICS.size())), (topic, partitions) -> partitions + 1 + random.nextInt(3));
            default -> counts.computeIfPresent(TOPICS.get(random.nextInt(TOPICS.size())), (topic, partitions) -> Math.max(0, partitions - 1));
        }
    }

    private ObjectNode round(Map<String, Member> members, Map<String, Integer> counts, boolean hasRacks, int generation) {
        ObjectNode round = NODES.objectNode();
        List<PartitionInfo> partitions = new ArrayList<>();
        ArrayNode topics = round.putArray("topics");
        counts.forEach((topic, count) -> topics.add(topic(topic, count, hasRacks, partitions)));
        ArrayNode listed = round.putArray("members");
        Map<String, Subscription> subscriptions = new TreeMap<>();
        for (Member member : members.values()) {
            Subscription subscription = member.subscription();
            subscriptions.put(member.id, subscription);
            ArrayNode line = listed.addArray().add(member.id).add(member.instance).add(member.rack);
            line.add(names(member.topics)).add(grouped(subscription.ownedPartitions())).add(subscription.generationId().orElse(-1));
            line.add(subscription.userData() == null ? null : Base64.getEncoder().encodeToString(Utils.toArray(subscription.userData().duplicate())));
        }
        Map<String, Assignment> given;
        boolean isExact = true;
        try {
            given = assign(partitions, subscriptions, new Random(0));
            for (int order = 1; order < ORDERS; order++) {
                isExact &= printed(assign(partitions, subscriptions, new Random(order))).equals(printed(given));
            }
        } catch (IllegalStateException error) {
            return round.put("failure", error.toString());
        }
        round.put("exact", isExact).set("assigned", printed(given));
        // One in six misses the end of the round and comes to the next one with what it had.
        for (Member member : members.values()) if (random.nextInt(6) > 0) settle(member, given.get(member.id), generation);
        return round;
    }

    private void settle(Member member, Assignment assignment, int generation) {
        List<TopicPartition> owned = new ArrayList<>(assignment.partitions());
        owned.sort(ORDER);
        member.owned = owned;
        member.generation = generation;
        member.assignor.onAssignment(assignment, new ConsumerGroupMetadata("group", generation, member.id, Optional.ofNullable(member.instance)));
    }

    private ArrayNode topic(String topic, int count, boolean hasRacks, List<PartitionInfo> partitions) {
        ArrayNode line = NODES.arrayNode().add(topic);
        ArrayNode racks = line.addArray();
        for (int partition = 0; partition < count; partition++) {
            String letters = hasRacks ? RACKS.get(partition % RACKS.size()) + RACKS.get((partition + topic.length()) % RACKS.size()) : "";
            racks.add(letters);
            Node[] replicas = letters.chars().distinct().mapToObj(letter -> new Node(letter, "host", 1, Character.toString(letter))).toArray(Node[]::new);
            if (replicas.length == 0) replicas = new Node[] {new Node(0, "host", 1, null)};
            partitions.add(new PartitionInfo(topic, partition, replicas[0], replicas, replicas));
        }
        return line;
    }

    /** The answer of a fresh assignor, with members and topics in one order of many. */
    private Map<String, Assignment> assign(List<PartitionInfo> partitions, Map<String, Subscription> subscriptions, Random order) {
        Map<String, List<PartitionInfo>> byTopic = new TreeMap<>();
        for (PartitionInfo partition : partitions) byTopic.computeIfAbsent(partition.topic(), key -> new ArrayList<>()).add(partition);
        List<PartitionInfo> shuffled = new ArrayList<>();
        for (String topic : shuffled(byTopic.keySet(), order)) shuffled.addAll(byTopic.get(topic));
        Set<Node> nodes = new HashSet<>();
        for (PartitionInfo partition : partitions) nodes.addAll(Arrays.asList(partition.replicas()));
        Map<String, Subscription> group = new LinkedHashMap<>();
        for (String id : shuffled(subscriptions.keySet(), order)) group.put(id, unread(subscriptions.get(id)));
        Cluster cluster = new Cluster("cluster", nodes, shuffled, Set.of(), Set.of());
        return assignors.get().assign(cluster, new GroupSubscription(group)).groupAssignment();
    }

    /** An assignor reads the user data to its end. */
    private static Subscription unread(Subscription given) {
        ByteBuffer userData = given.userData() == null ? null : given.userData().duplicate();
        Subscription copy = new Subscription(given.topics(), userData, given.ownedPartitions(), given.generationId().orElse(-1), given.rackId());
        copy.setGroupInstanceId(given.groupInstanceId());
        return copy;
    }

    private static List<String> shuffled(Collection<String> names, Random order) {
        List<String> list = new ArrayList<>(names);
        Collections.shuffle(list, order);
        return list;
    }

    private List<String> subscription() {
        List<String> all = new ArrayList<>(TOPICS);
        Collections.shuffle(all, random);
        return List.copyOf(all.subList(0, 1 + random.nextInt(5)));
    }

    private static ArrayNode names(List<String> names) {
        ArrayNode array = NODES.arrayNode();
        names.forEach(array::add);
        return array;
    }

    private static ArrayNode printed(Map<String, Assignment> assigned) {
        ArrayNode array = NODES.arrayNode();
        new TreeMap<>(assigned).forEach((id, assignment) -> array.addArray().add(id).add(grouped(assignment.partitions())));
        return array;
    }

    private static ArrayNode grouped(List<TopicPartition> partitions) {
        TreeMap<String, TreeSet<Integer>> byTopic = new TreeMap<>();
        for (TopicPartition each : partitions) byTopic.computeIfAbsent(each.topic(), key -> new TreeSet<>()).add(each.partition());
        ArrayNode array = NODES.arrayNode();
        byTopic.forEach((topic, numbers) -> {
            ArrayNode list = array.addArray().add(topic).addArray();
            numbers.forEach(list::add);
        });
        return array;
    }
}

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.*;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.common.*;

/** Writes fixtures/assignors/range.json: seeded groups and what Kafka's own RangeAssignor gives each member. */
public class RangeVectors {
  static final String[] MEMBERS = {"consumer-1", "consumer-10", "consumer-2", "a", "B", "b", "Z", "\uFFFD", "\uD83D\uDE00", "__proto__", "constructor", "m-7"};
  static final String[] TOPICS = {"orders", "payments", "__proto__", "t1", "t10", "t2", "absent", "empty"};
  static final String[] RACKS = {"a", "b", "c", "d"};
  static final Random random = new Random(42);

  static String quote(String s) {
    StringBuilder b = new StringBuilder("\"");
    for (char c : s.toCharArray()) if (c < 32 || c > 126 || c == '"' || c == '\\') b.append(String.format("\\u%04x", (int) c)); else b.append(c);
    return b.append('"').toString();
  }

  static String one(int n) {
    boolean racks = n % 2 == 1;
    boolean even = random.nextInt(3) > 0;                       // co-partitioned topics: the same count for all
    int commonCount = 1 + random.nextInt(12);
    int rackCount = 1 + random.nextInt(RACKS.length);
    Node[] nodes = new Node[rackCount + 1];
    for (int i = 0; i < rackCount; i++) nodes[i] = new Node(i, "h", 1, RACKS[i]);
    nodes[rackCount] = new Node(rackCount, "h", 1, null);       // a broker without a rack
    List<PartitionInfo> infos = new ArrayList<>();
    StringBuilder topics = new StringBuilder();
    for (int t = 0; t < 6; t++) {
      int count = even ? commonCount : 1 + random.nextInt(12);
      int replicas = 1 + random.nextInt(nodes.length);
      StringBuilder list = new StringBuilder();
      for (int p = 0; p < count; p++) {
        List<Node> of = new ArrayList<>(Arrays.asList(nodes));
        Collections.shuffle(of, random);
        Node[] r = racks ? of.subList(0, replicas).toArray(new Node[0]) : new Node[] {nodes[rackCount]};
        infos.add(new PartitionInfo(TOPICS[t], p, r[0], r, r));
        StringBuilder s = new StringBuilder();
        for (Node node : r) if (node.rack() != null) s.append(node.rack());
        list.append(p == 0 ? "" : ",").append(quote(s.toString()));
      }
      topics.append(t == 0 ? "" : ",").append("[" + quote(TOPICS[t]) + ",[" + list + "]]");
    }
    topics.append(",[\"empty\",[]]");
    Cluster cluster = new Cluster("c", Arrays.asList(nodes), infos, Set.of(), Set.of());
    Map<String, Subscription> group = new HashMap<>();
    StringBuilder members = new StringBuilder();
    List<String> ids = new ArrayList<>(Arrays.asList(MEMBERS));
    Collections.shuffle(ids, random);
    int memberCount = 1 + random.nextInt(8);
    boolean same = random.nextBoolean();                        // all subscribe to the same topics
    List<String> common = subscription();
    for (int m = 0; m < memberCount; m++) {
      String id = ids.get(m);
      List<String> names = same ? common : subscription();
      String instance = random.nextInt(3) == 0 ? "static-" + random.nextInt(1000) : null;
      int r = random.nextInt(6);
      String rack = !racks || r == 0 ? null : r == 1 ? "" : RACKS[random.nextInt(RACKS.length)];
      Subscription s = new Subscription(names, null, List.of(), -1, Optional.ofNullable(rack));
      s.setGroupInstanceId(Optional.ofNullable(instance));
      group.put(id, s);
      StringBuilder list = new StringBuilder();
      for (String name : names) list.append(list.length() == 0 ? "" : ",").append(quote(name));
      members.append(m == 0 ? "" : ",").append("[" + quote(id) + "," + (instance == null ? "null" : quote(instance)) + ","
          + (rack == null ? "null" : quote(rack)) + ",[" + list + "]]");
    }
    Map<String, Assignment> result = new RangeAssignor().assign(cluster, new GroupSubscription(group)).groupAssignment();
    StringBuilder assigned = new StringBuilder();
    for (String id : new TreeSet<>(result.keySet())) {
      TreeMap<String, TreeSet<Integer>> byTopic = new TreeMap<>();
      for (TopicPartition tp : result.get(id).partitions()) byTopic.computeIfAbsent(tp.topic(), k -> new TreeSet<>()).add(tp.partition());
      StringBuilder list = new StringBuilder();
      for (var e : byTopic.entrySet()) list.append(list.length() == 0 ? "" : ",").append("[" + quote(e.getKey()) + "," + e.getValue().toString().replace(" ", "") + "]");
      assigned.append(assigned.length() == 0 ? "" : ",").append("[" + quote(id) + ",[" + list + "]]");
    }
    return "{\"topics\":[" + topics + "],\"members\":[" + members + "],\"assigned\":[" + assigned + "]}";
  }

  static List<String> subscription() {
    List<String> all = new ArrayList<>(Arrays.asList(TOPICS));
    Collections.shuffle(all, random);
    List<String> some = new ArrayList<>(all.subList(0, random.nextInt(5)));
    if (!some.isEmpty() && random.nextInt(8) == 0) some.add(some.get(0));   // named twice
    return some;
  }

  public static void main(String[] args) throws Exception {
    StringBuilder out = new StringBuilder("{\n\"origin\": \"org.apache.kafka.clients.consumer.RangeAssignor of kafka-clients 4.4.0, java.util.Random(42); topics: [name, [racks of each partition's replicas, a letter each]]; members: [memberId, instanceId, rack, topics]; assigned: [memberId, [topic, partitions]]\",\n\"cases\": [\n");
    int cases = Integer.parseInt(args[1]);
    for (int n = 0; n < cases; n++) out.append(one(n)).append(n + 1 < cases ? ",\n" : "\n");
    Files.write(Path.of(args[0]), out.append("]\n}\n").toString().getBytes(StandardCharsets.UTF_8));
  }
}

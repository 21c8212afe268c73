package org.apache.kafka.clients.producer.internals;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Utils;

/**
 * What Java's producer chooses, in its own package to see the parts of its partitioner. Answers each line of stdin.
 * "keys COUNT...": a key in base64 -> its murmur2, and its partition of each count of partitions.
 * "draws": the queue of each partition, in batches, "-" for one without a leader, "!" for one past the availability
 * timeout -> the partitions that the random numbers 0, 1, 2, ... draw, as many as make a round.
 * "produce BOOTSTRAP TOPIC": a key in base64 -> the partition to which the producer sent its record.
 */
final class BalancerOracle {
  private static final String TOPIC = "t";

  public static void main(String[] args) throws Exception {
    List<String> lines = new BufferedReader(new InputStreamReader(System.in)).lines().toList();
    StringBuilder output = new StringBuilder();
    switch (args[0]) {
      case "keys" -> lines.forEach(line -> output.append(placesOf(decode(line), args)).append('\n'));
      case "draws" -> lines.forEach(line -> output.append(drawsOf(line.split(" "))).append('\n'));
      case "produce" -> {
        for (int partition : produce(args[1], args[2], lines)) output.append(partition).append('\n');
      }
      default -> throw new IllegalArgumentException(args[0]);
    }
    System.out.print(output);
  }

  private static byte[] decode(String line) {
    return Base64.getDecoder().decode(line);
  }

  private static String placesOf(byte[] key, String[] args) {
    return Utils.murmur2(key)
        + Arrays.stream(args, 1, args.length)
            .map(count -> " " + BuiltInPartitioner.partitionForKey(key, Integer.parseInt(count)))
            .collect(Collectors.joining());
  }

  /** As RecordAccumulator.partitionReady tells the partitioner of queues. */
  private static String drawsOf(String[] queues) {
    Node node = new Node(0, "localhost", 9092);
    List<PartitionInfo> partitions = new ArrayList<>();
    int[] sizes = new int[queues.length];
    int[] ids = new int[queues.length];
    int length = 0;
    int leaders = 0;
    for (int partition = 0; partition < queues.length; partition++) {
      boolean hasLeader = !queues[partition].equals("-");
      partitions.add(new PartitionInfo(TOPIC, partition, hasLeader ? node : null, new Node[0], new Node[0]));
      if (!hasLeader) continue;
      leaders++;
      if (queues[partition].equals("!")) continue;
      sizes[length] = Integer.parseInt(queues[partition]);
      ids[length++] = partition;
    }
    Cluster cluster = new Cluster("c", List.of(node), partitions, Set.of(), Set.of());
    int[] random = {0};
    BuiltInPartitioner partitioner = new BuiltInPartitioner(new LogContext(), TOPIC, 1) {
      @Override
      int randomPartition() {
        return random[0];
      }
    };
    partitioner.updatePartitionLoadStats(sizes, ids, length);
    int round;
    try {
      round = partitioner.loadStatsRangeEnd();
    } catch (NullPointerException uniform) { // no load is known: each partition with a leader is as likely
      round = leaders > 0 ? leaders : queues.length;
    }
    List<String> drawn = new ArrayList<>();
    for (; random[0] < round; random[0]++) {
      if (random[0] > 0) partitioner.updatePartitionInfo(partitioner.peekCurrentPartitionInfo(cluster), 1, cluster);
      drawn.add(String.valueOf(partitioner.peekCurrentPartitionInfo(cluster).partition()));
    }
    return String.join(" ", drawn);
  }

  private static List<Integer> produce(String bootstrap, String topic, List<String> lines) throws Exception {
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    Map<String, Object> settings = Map.of("bootstrap.servers", bootstrap);
    try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (String line : lines) sent.add(producer.send(new ProducerRecord<>(topic, decode(line), new byte[0])));
    }
    List<Integer> partitions = new ArrayList<>();
    for (Future<RecordMetadata> each : sent) partitions.add(each.get().partition());
    return partitions;
  }
}

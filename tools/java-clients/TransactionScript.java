import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Arguments: bootstrap topic. Goes through the life of transactional producers, on a topic with two partitions, and prints
 * what Java's own clients see: of each step whether it worked or which exception it met, then the records of either
 * isolation level and the ends, then the offsets of the group. Two brokers that behave alike give the same lines.
 */
final class TransactionScript {
  private static final int SHORT_MS = 1_000;

  private final String bootstrap;
  private final String topic;
  private final String group;

  private TransactionScript(String[] args) {
    bootstrap = args[0];
    topic = args[1];
    group = topic + "-group";
  }

  public static void main(String[] args) throws Exception {
    TransactionScript script = new TransactionScript(args);
    script.commitAndAbort();
    script.offsets();
    script.fence();
    script.tooOld();
    script.open();
    script.read("read_committed");
    script.read("read_uncommitted");
    System.out.flush();
    Runtime.getRuntime().halt(0); // a producer that was closed would abort the open transaction
  }

  private void commitAndAbort() {
    try (KafkaProducer<String, String> producer = producer("plain", 60_000)) {
      tell("init", producer::initTransactions);
      for (boolean commit : List.of(true, false, true)) {
        tell("begin", producer::beginTransaction);
        for (int i = 0; i < 4; i++) send(producer, i % 2, (commit ? "kept " : "dropped ") + i);
        tell(commit ? "commit" : "abort", commit ? producer::commitTransaction : producer::abortTransaction);
      }
      for (boolean commit : List.of(true, false)) {
        tell("begin with nothing in it", producer::beginTransaction);
        tell(commit ? "commit" : "abort", commit ? producer::commitTransaction : producer::abortTransaction);
      }
    }
  }

  private void offsets() {
    try (KafkaProducer<String, String> producer = producer("offsets", 60_000)) {
      producer.initTransactions();
      for (int i = 1; i <= 3; i++) {
        boolean commit = i != 2;
        long offset = i;
        producer.beginTransaction();
        send(producer, 0, "with offset " + i);
        Map<TopicPartition, OffsetAndMetadata> offsets = Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(offset));
        tell("offsets", () -> producer.sendOffsetsToTransaction(offsets, new ConsumerGroupMetadata(group)));
        tell(commit ? "commit" : "abort", commit ? producer::commitTransaction : producer::abortTransaction);
        committed();
      }
      producer.beginTransaction();
      var strangers = new ConsumerGroupMetadata(group, 7, "nobody", java.util.Optional.empty());
      tell("offsets of a stranger", () -> producer.sendOffsetsToTransaction(Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(9)), strangers));
      tell("commit after it", producer::commitTransaction);
      tell("abort after it", producer::abortTransaction);
      committed();
    }
  }

  private void fence() {
    try (var old = producer("fenced", 60_000); var next = producer("fenced", 60_000)) {
      old.initTransactions();
      old.beginTransaction();
      send(old, 0, "of the old one");
      tell("the new one comes", next::initTransactions);
      send(old, 1, "of the old one, too late");
      tell("the old one commits", old::commitTransaction);
      tell("the old one aborts", old::abortTransaction);
      next.beginTransaction();
      send(next, 1, "of the new one");
      tell("the new one commits", next::commitTransaction);
      old.close(Duration.ZERO);
    }
  }

  private void tooOld() throws InterruptedException {
    try (KafkaProducer<String, String> producer = producer("old", SHORT_MS)) {
      producer.initTransactions();
      producer.beginTransaction();
      send(producer, 0, "soon too old");
      Thread.sleep(3L * SHORT_MS);
      send(producer, 0, "too old");
      tell("commit what is too old", producer::commitTransaction);
      tell("abort what is too old", producer::abortTransaction);
      producer.close(Duration.ZERO);
    }
  }

  /** Leaves a transaction open, and a record of somebody else behind it. */
  private void open() {
    KafkaProducer<String, String> producer = producer("open", 60_000);
    producer.initTransactions();
    producer.beginTransaction();
    send(producer, 0, "undecided");
    send(producer(null, 0), 0, "behind the undecided");
  }

  private void read(String isolation) {
    Map<String, Object> settings = Map.of("bootstrap.servers", bootstrap, "isolation.level", isolation);
    try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      List<TopicPartition> all = List.of(new TopicPartition(topic, 0), new TopicPartition(topic, 1));
      consumer.assign(all);
      consumer.seekToBeginning(all);
      Map<TopicPartition, Long> ends = consumer.endOffsets(all);
      Map<TopicPartition, List<String>> lines = new HashMap<>();
      while (all.stream().anyMatch(one -> consumer.position(one) < ends.get(one))) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
          TopicPartition place = new TopicPartition(record.topic(), record.partition());
          lines.computeIfAbsent(place, any -> new ArrayList<>()).add(record.offset() + " " + record.value());
        }
      }
      for (TopicPartition place : all) {
        for (String line : lines.getOrDefault(place, List.of())) System.out.println(isolation + " " + place.partition() + " " + line);
        System.out.println(isolation + " " + place.partition() + " ends at " + ends.get(place));
      }
    }
  }

  private void committed() {
    Map<String, Object> settings = Map.of("bootstrap.servers", bootstrap, "group.id", group);
    try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      TopicPartition place = new TopicPartition(topic, 0);
      OffsetAndMetadata found = consumer.committed(Set.of(place)).get(place);
      System.out.println("committed: " + (found == null ? "nothing" : found.offset()));
    }
  }

  /** Sends a record and waits for it, so that batches and errors are the same each time. */
  private void send(KafkaProducer<String, String> producer, int partition, String value) {
    tell("send " + value, () -> {
      try {
        producer.send(new ProducerRecord<>(topic, partition, null, value)).get();
      } catch (java.util.concurrent.ExecutionException error) {
        throw error.getCause() instanceof KafkaException cause ? cause : new KafkaException(error.getCause());
      } catch (InterruptedException error) {
        throw new KafkaException(error);
      }
    });
  }

  private void tell(String what, Runnable step) {
    try {
      step.run();
      System.out.println(what + ": done");
    } catch (KafkaException error) {
      String cause = error.getCause() == null ? "" : " of " + error.getCause().getClass().getSimpleName();
      System.out.println(what + ": " + error.getClass().getSimpleName() + cause);
    }
  }

  private KafkaProducer<String, String> producer(String name, int timeoutMs) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", bootstrap);
    settings.put("linger.ms", 0);
    if (name != null) {
      settings.put("transactional.id", topic + "-" + name);
      settings.put("transaction.timeout.ms", timeoutMs);
    }
    return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
  }
}

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Arguments: bootstrap topic partitions seed. Mixes committed and aborted transactions of several producers with plain
 * records, leaves one transaction open at the end of partition 0, and prints what Java's own consumer shows of it with
 * read_committed: "record PARTITION OFFSET VALUE" in the order of each partition, then "end PARTITION OFFSET", up to which
 * it reads, and "written COUNT", how many records there are in all.
 */
final class TransactionMix {
  private static final int STEPS = 250;
  private static final int PRODUCERS = 3;

  private final String bootstrap;
  private final String topic;
  private final int partitions;
  private final Random random;
  private int written = 0;

  private TransactionMix(String[] args) {
    bootstrap = args[0];
    topic = args[1];
    partitions = Integer.parseInt(args[2]);
    random = new Random(Long.parseLong(args[3]));
  }

  public static void main(String[] args) {
    TransactionMix mix = new TransactionMix(args);
    mix.write();
    mix.read();
    System.out.println("written " + mix.written);
    System.out.flush();
    Runtime.getRuntime().halt(0); // a producer that was closed would abort the open transaction
  }

  private void write() {
    KafkaProducer<String, String> plain = producer(null, "none");
    List<KafkaProducer<String, String>> producers = new ArrayList<>();
    for (int i = 0; i < PRODUCERS; i++) {
      producers.add(producer("tx-" + topic + "-" + i, i == 0 ? "gzip" : "none"));
      producers.get(i).initTransactions();
    }
    boolean[] open = new boolean[PRODUCERS];
    for (int step = 0; step < STEPS; step++) {
      int chosen = random.nextInt(PRODUCERS + 1);
      if (chosen == PRODUCERS) {
        send(plain, random.nextInt(partitions), "plain", 1);
        continue;
      }
      KafkaProducer<String, String> producer = producers.get(chosen);
      if (!open[chosen]) producer.beginTransaction();
      open[chosen] = true;
      send(producer, random.nextInt(partitions), "producer-" + chosen, 1 + random.nextInt(5));
      if (random.nextInt(3) > 0) continue;
      end(producer);
      open[chosen] = false;
    }
    for (int i = 0; i < PRODUCERS; i++) if (open[i]) end(producers.get(i));
    producers.get(0).beginTransaction();
    send(producers.get(0), 0, "undecided", 3);
    send(plain, 0, "behind the undecided", 2);
  }

  private void end(KafkaProducer<String, String> producer) {
    if (random.nextBoolean()) producer.commitTransaction();
    else producer.abortTransaction();
  }

  private void send(KafkaProducer<String, String> producer, int partition, String who, int records) {
    for (int i = 0; i < records; i++) {
      producer.send(new ProducerRecord<>(topic, partition, null, who + " " + written++));
    }
    producer.flush(); // in the log before the next step, so that transactions overlap as the seed says
  }

  private KafkaProducer<String, String> producer(String transactionalId, String compression) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", bootstrap);
    settings.put("compression.type", compression);
    settings.put("transaction.timeout.ms", 600_000);
    if (transactionalId != null) settings.put("transactional.id", transactionalId);
    return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
  }

  private void read() {
    Map<String, Object> settings = Map.of("bootstrap.servers", bootstrap, "isolation.level", "read_committed");
    try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      List<TopicPartition> all = new ArrayList<>();
      for (int partition = 0; partition < partitions; partition++) all.add(new TopicPartition(topic, partition));
      consumer.assign(all);
      consumer.seekToBeginning(all);
      Map<TopicPartition, Long> ends = consumer.endOffsets(all); // the last stable ones
      while (all.stream().anyMatch(one -> consumer.position(one) < ends.get(one))) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
          System.out.println("record " + record.partition() + " " + record.offset() + " " + record.value());
        }
      }
      ends.forEach((one, end) -> System.out.println("end " + one.partition() + " " + end));
    }
  }
}

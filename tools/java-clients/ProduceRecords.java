import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Arguments: bootstrap topic count seed compression. Writes SampleRecord 0 to count-1 with Java's producer in its default,
 * idempotent settings; prints "partition records" per partition. Ends with code 1 when any record failed.
 */
final class ProduceRecords {
  public static void main(String[] args) throws Exception {
    String topic = args[1];
    int count = Integer.parseInt(args[2]);
    int seed = Integer.parseInt(args[3]);
    Map<String, Object> settings = Map.of("bootstrap.servers", args[0], "compression.type", args[4]);
    Map<Integer, Integer> perPartition = new TreeMap<>();
    AtomicReference<Exception> failure = new AtomicReference<>();
    try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (int index = 0; index < count; index++) {
        SampleRecord sample = new SampleRecord(seed, index);
        var record = new ProducerRecord<>(topic, null, sample.timestamp, sample.key, sample.value, sample.headers);
        producer.send(record, (stored, error) -> { // all callbacks run on the producer's one thread
          if (error != null) failure.compareAndSet(null, error);
          else perPartition.merge(stored.partition(), 1, Integer::sum);
        });
      }
    }
    if (failure.get() != null) throw failure.get();
    perPartition.forEach((partition, records) -> System.out.println(partition + " " + records));
  }
}

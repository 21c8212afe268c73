import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Base64;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.utils.Utils;

/**
 * Argument: the number of partitions. Reads keys, one base64 line each; prints the partition that Java's producer gives
 * each. Two of Java's own ways are compared: its partitioner, and the hash with the sign masked.
 */
final class KeyPartitions {
  public static void main(String[] args) throws Exception {
    int partitions = Integer.parseInt(args[0]);
    StringBuilder output = new StringBuilder();
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      byte[] key = Base64.getDecoder().decode(line);
      int partition = BuiltInPartitioner.partitionForKey(key, partitions);
      if (partition != Utils.toPositive(Utils.murmur2(key)) % partitions) throw new AssertionError(line);
      output.append(partition).append('\n');
    }
    System.out.print(output);
  }
}

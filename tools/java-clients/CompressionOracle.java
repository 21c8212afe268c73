import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.Base64;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.compress.Lz4BlockOutputStream;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.ByteBufferOutputStream;
import org.xerial.snappy.Snappy;
import org.xerial.snappy.SnappyOutputStream;

/**
 * Compresses and decompresses as Java's clients do, one task a line, one answer a line. Bytes are base64, "-" when empty.
 * <pre>
 * write CODEC LEVEL MAGIC BYTES         as the producer writes the records of a batch; LEVEL "-": the default
 * write-snappy-raw BYTES                without framing
 * write-snappy-blocks SIZE BYTES        xerial framing in blocks of SIZE
 * write-lz4-blocks ID CHECKSUMS BYTES   blocks of ID (4: 64 KiB to 7: 4 MiB), CHECKSUMS "true": one a block
 * read CODEC MAGIC BYTES                as the consumer reads them
 * </pre>
 * The answer is the bytes, or "!" and why not.
 */
final class CompressionOracle {
  public static void main(String[] args) throws Exception {
    PrintStream answers = new PrintStream(System.out, false);
    BufferedReader tasks = new BufferedReader(new InputStreamReader(System.in));
    for (String line = tasks.readLine(); line != null; line = tasks.readLine()) {
      try {
        byte[] bytes = answer(line.split(" "));
        answers.println(bytes.length == 0 ? "-" : Base64.getEncoder().encodeToString(bytes));
      } catch (Exception | Error error) { // xerial allocates what a length field says
        answers.println("!" + error.toString().replace('\n', ' '));
      }
    }
    answers.flush();
  }

  private static byte[] answer(String[] task) throws Exception {
    String last = task[task.length - 1];
    byte[] bytes = last.equals("-") ? new byte[0] : Base64.getDecoder().decode(last);
    if (task[0].equals("write-snappy-raw")) return Snappy.compress(bytes);
    if (task[0].equals("read")) {
      ByteBuffer input = ByteBuffer.wrap(bytes);
      byte magic = Byte.parseByte(task[2]);
      try (InputStream stream = codec(task[1], "-").wrapForInput(input, magic, BufferSupplier.NO_CACHING)) {
        return stream.readAllBytes();
      }
    }
    ByteBufferOutputStream output = new ByteBufferOutputStream(512);
    try (OutputStream stream = writer(task, output)) {
      stream.write(bytes);
    }
    ByteBuffer written = output.buffer().flip();
    byte[] result = new byte[written.remaining()];
    written.get(result);
    return result;
  }

  private static OutputStream writer(String[] task, ByteBufferOutputStream output) throws Exception {
    return switch (task[0]) {
      case "write" -> codec(task[1], task[2]).wrapForOutput(output, Byte.parseByte(task[3]));
      case "write-snappy-blocks" -> new SnappyOutputStream(output, Integer.parseInt(task[1]));
      case "write-lz4-blocks" ->
        new Lz4BlockOutputStream(output, Integer.parseInt(task[1]), 9, Boolean.parseBoolean(task[2]), false);
      default -> throw new IllegalArgumentException(task[0]);
    };
  }

  private static Compression codec(String name, String level) {
    if (level.equals("-")) return Compression.of(name).build();
    int value = Integer.parseInt(level);
    return switch (name) {
      case "gzip" -> Compression.gzip().level(value).build();
      case "lz4" -> Compression.lz4().level(value).build();
      case "zstd" -> Compression.zstd().level(value).build();
      default -> throw new IllegalArgumentException(name + " has no levels");
    };
  }
}

import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/**
 * Reads record batches that another program wrote. The argument is a file with a line of base64 for each case, batches
 * back to back. Standard output: a line of JSON for each: what Kafka's classes read from them, as in fixtures/records,
 * checksums verified; or a string that says why they refuse them.
 */
public final class RecordReadBack {
    private RecordReadBack() {}

    public static void main(String[] arguments) throws IOException {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line : Files.readAllLines(Path.of(arguments[0]))) out.println(read(ByteBuffer.wrap(Base64.getDecoder().decode(line))));
        out.flush();
    }

    private static String read(ByteBuffer bytes) {
        try {
            return "[" + String.join(",", RecordJson.batches(bytes)).replace("\n", "") + "]";
        } catch (RuntimeException error) {
            return RecordJson.quoted(error);
        }
    }
}

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;

import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.message.KRaftVersionRecordJsonConverter;
import org.apache.kafka.common.message.LeaderChangeMessageJsonConverter;
import org.apache.kafka.common.message.SnapshotFooterRecordJsonConverter;
import org.apache.kafka.common.message.SnapshotHeaderRecordJsonConverter;
import org.apache.kafka.common.message.VotersRecordJsonConverter;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.ControlRecordUtils;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.internals.AppInfoParser;
import org.apache.kafka.common.utils.internals.BufferSupplier;

/** What Kafka's classes read from record batches, as JSON: int64 values are strings, bytes are hex. */
final class RecordJson {
    private RecordJson() {}

    /** The beginning of a file of fixtures/records. */
    static String opening(String name, String about) {
        return "{\n  \"origin\": \"org.apache.kafka:kafka-clients:" + AppInfoParser.getVersion() + ", tools/java-reference, RecordFixtures, " + name + "\",\n"
            + "  \"about\": " + quoted(about) + ",\n";
    }

    /** Every batch and record. Throws what Kafka throws for what it refuses. */
    static List<String> batches(ByteBuffer bytes) {
        List<String> batches = new ArrayList<>();
        for (MutableRecordBatch batch : MemoryRecords.readableRecords(bytes).batches()) {
            batch.ensureValid();
            batches.add(batch(batch));
        }
        return batches;
    }

    private static String batch(MutableRecordBatch batch) {
        List<String> records = new ArrayList<>();
        List<String> controls = new ArrayList<>();
        String baseOffset = batch.magic() < 2 ? null : quoted(batch.baseOffset());
        try (var iterator = batch.streamingIterator(BufferSupplier.NO_CACHING)) {
            while (iterator.hasNext()) {
                Record record = iterator.next();
                if (baseOffset == null) baseOffset = quoted(record.offset());
                records.add("        " + record(record));
                if (batch.isControlBatch()) controls.add("        " + control(record));
            }
        }
        return "    {\n      \"magic\": " + batch.magic() + ", \"baseOffset\": " + baseOffset + ", \"lastOffset\": " + quoted(batch.lastOffset()) + ", \"partitionLeaderEpoch\": " + batch.partitionLeaderEpoch()
            + ", \"sizeInBytes\": " + batch.sizeInBytes() + ", \"checksum\": " + batch.checksum() + ",\n      \"codecId\": " + batch.compressionType().id + ", \"isTransactional\": " + batch.isTransactional()
            + ", \"isControl\": " + batch.isControlBatch() + ", \"isLogAppendTime\": " + (batch.timestampType() == TimestampType.LOG_APPEND_TIME) + ",\n      \"deleteHorizonMs\": "
            + (batch.deleteHorizonMs().isPresent() ? quoted(batch.deleteHorizonMs().getAsLong()) : "null") + ", \"maxTimestamp\": " + quoted(batch.maxTimestamp()) + ", \"producerId\": " + quoted(batch.producerId())
            + ", \"producerEpoch\": " + batch.producerEpoch() + ", \"baseSequence\": " + batch.baseSequence() + ",\n"
            + (batch.isControlBatch() ? "      \"controls\": " + list(controls) + ",\n" : "")
            + "      \"records\": " + list(records) + "\n    }";
    }

    private static String list(List<String> items) {
        return items.isEmpty() ? "[]" : "[\n" + String.join(",\n", items) + "\n      ]";
    }

    static String record(Record record) {
        List<String> headers = new ArrayList<>();
        for (Header header : record.headers()) headers.add("[" + quoted(header.key()) + ", " + hexOrNull(header.value() == null ? null : ByteBuffer.wrap(header.value())) + "]");
        String end = headers.isEmpty() ? " }" : ", \"headers\": [" + String.join(", ", headers) + "] }";
        return "{ \"offset\": " + quoted(record.offset()) + ", \"timestamp\": " + quoted(record.timestamp()) + ", \"key\": " + hexOrNull(record.key()) + ", \"value\": " + hexOrNull(record.value()) + end;
    }

    /** A control record's type and, of those whose value Kafka can read, the value. */
    private static String control(Record record) {
        ControlRecordType type = ControlRecordType.parse(record.key());
        return "{ \"type\": " + quoted(type.name()) + ", \"body\": " + body(type, record) + " }";
    }

    private static Object body(ControlRecordType type, Record record) {
        short version = 0;
        JsonNode body = switch (type) {
            case LEADER_CHANGE -> LeaderChangeMessageJsonConverter.write(ControlRecordUtils.deserializeLeaderChangeMessage(record), version);
            case SNAPSHOT_HEADER -> SnapshotHeaderRecordJsonConverter.write(ControlRecordUtils.deserializeSnapshotHeaderRecord(record), version);
            case SNAPSHOT_FOOTER -> SnapshotFooterRecordJsonConverter.write(ControlRecordUtils.deserializeSnapshotFooterRecord(record), version);
            case KRAFT_VERSION -> KRaftVersionRecordJsonConverter.write(ControlRecordUtils.deserializeKRaftVersionRecord(record), version);
            case KRAFT_VOTERS -> VotersRecordJsonConverter.write(ControlRecordUtils.deserializeVotersRecord(record), version);
            default -> null;
        };
        if (body != null) return body;
        return type == ControlRecordType.UNKNOWN ? null : "{\"coordinatorEpoch\":" + EndTransactionMarker.deserialize(record).coordinatorEpoch() + "}";
    }

    static String hexOrNull(ByteBuffer bytes) {
        return bytes == null ? "null" : quoted(hex(bytes));
    }

    static String hex(ByteBuffer bytes) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        return HexFormat.of().formatHex(copy);
    }

    static String quoted(Object value) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char unit : value.toString().toCharArray()) {
            if (unit < ' ') quoted.append("\\u%04x".formatted((int) unit));
            else quoted.append(unit == '"' || unit == '\\' ? "\\" : "").append(unit);
        }
        return quoted.append('"').toString();
    }

    static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }
}

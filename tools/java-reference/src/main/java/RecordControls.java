import java.nio.ByteBuffer;
import java.util.List;

import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.KRaftVersionRecord;
import org.apache.kafka.common.message.LeaderChangeMessage;
import org.apache.kafka.common.message.SnapshotFooterRecord;
import org.apache.kafka.common.message.SnapshotHeaderRecord;
import org.apache.kafka.common.message.VotersRecord;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;

/** The control batches of KRaft: one of each type, and the three records that a snapshot begins with in one batch. */
final class RecordControls {
    private static final Uuid DIRECTORY = new Uuid(0x0123456789abcdefL, 0x7edcba9876543210L);

    private RecordControls() {}

    static List<RecordFixtures.Batch> batches() {
        long time = RecordFixtures.TIME;
        LeaderChangeMessage leader = new LeaderChangeMessage().setVersion((short) 0).setLeaderId(2).setVoters(voters(1, 2, 3)).setGrantingVoters(voters(2, 3));
        SnapshotHeaderRecord header = new SnapshotHeaderRecord().setVersion((short) 0).setLastContainedLogTimestamp(time - 1);
        SnapshotFooterRecord footer = new SnapshotFooterRecord().setVersion((short) 0);
        KRaftVersionRecord version = new KRaftVersionRecord().setVersion((short) 0).setKRaftVersion((short) 1);
        VotersRecord voters = votersRecord();
        MemoryRecordsBuilder snapshot = new MemoryRecordsBuilder(ByteBuffer.allocate(1024), (byte) 2, Compression.NONE, TimestampType.CREATE_TIME, 0, time, -1, (short) -1, -1, false, true, 4, 1024);
        snapshot.appendSnapshotHeaderMessage(time, header);
        snapshot.appendKRaftVersionMessage(time, version);
        snapshot.appendVotersMessage(time, voters);
        return List.of(
            batch("leader-change", "A new leader of a KRaft quorum.", MemoryRecords.withLeaderChangeMessage(11, time, 4, buffer(), leader)),
            batch("snapshot-header", "The beginning of a snapshot.", MemoryRecords.withSnapshotHeaderRecord(0, time, 4, buffer(), header)),
            batch("snapshot-footer", "The end of a snapshot.", MemoryRecords.withSnapshotFooterRecord(9, time, 4, buffer(), footer)),
            batch("kraft-version", "The version of KRaft.", MemoryRecords.withKRaftVersionRecord(12, time, 4, buffer(), version)),
            batch("kraft-voters", "The voters of a KRaft quorum.", MemoryRecords.withVotersRecord(13, time, 4, buffer(), voters)),
            batch("snapshot-start", "Three control records in one batch, as snapshots begin.", snapshot.build()));
    }

    private static RecordFixtures.Batch batch(String name, String about, MemoryRecords records) {
        return new RecordFixtures.Batch(name, about, records);
    }

    private static ByteBuffer buffer() {
        return ByteBuffer.allocate(1024);
    }

    private static List<LeaderChangeMessage.Voter> voters(int... ids) {
        return java.util.Arrays.stream(ids).mapToObj(id -> new LeaderChangeMessage.Voter().setVoterId(id)).toList();
    }

    private static VotersRecord votersRecord() {
        VotersRecord.EndpointCollection endpoints = new VotersRecord.EndpointCollection();
        endpoints.add(new VotersRecord.Endpoint().setName("CONTROLLER").setHost("controller.example").setPort(65535));
        endpoints.add(new VotersRecord.Endpoint().setName("CONTROLLER_SSL").setHost("контролер").setPort(9094));
        return new VotersRecord().setVersion((short) 0).setVoters(List.of(
            new VotersRecord.Voter().setVoterId(1).setVoterDirectoryId(DIRECTORY).setEndpoints(endpoints).setKRaftVersionFeature(new VotersRecord.KRaftVersionFeature().setMinSupportedVersion((short) 0).setMaxSupportedVersion((short) 1)),
            new VotersRecord.Voter().setVoterId(2).setVoterDirectoryId(Uuid.ZERO_UUID).setKRaftVersionFeature(new VotersRecord.KRaftVersionFeature())));
    }
}

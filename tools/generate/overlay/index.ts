/** What the generated files say in words, and which int64 fields are opaque: the part that no definition holds.
 * Everything else in them comes from fixtures/definitions; nothing here may change a byte on the wire, except that bigint
 * fields carry the whole range of int64 and number fields stop at 2^53 - 1.
 * Sources: the KIPs that are named, Kafka's protocol guide.
 */
import { brokers } from './brokers.ts';
import { cluster } from './cluster.ts';
import { configs } from './configs.ts';
import { consumerGroups } from './consumer-groups.ts';
import { groupRecords } from './group-records.ts';
import { groups } from './groups.ts';
import { metadataRecords } from './metadata-records.ts';
import type { ApiOverlay, MessageOverlay } from './notes.ts';
import { produceFetch } from './produce-fetch.ts';
import { quotas } from './quotas.ts';
import { raft } from './raft.ts';
import { records } from './records.ts';
import { security } from './security.ts';
import { shareGroups } from './share-groups.ts';
import { streamsGroups } from './streams-groups.ts';
import { topics } from './topics.ts';
import { transactions } from './transactions.ts';

export type { ApiNotes, MessageNotes } from './notes.ts';

/** Notes by API name. */
export const overlay: ApiOverlay = {
  ...produceFetch,
  ...cluster,
  ...groups,
  ...consumerGroups,
  ...shareGroups,
  ...streamsGroups,
  ...transactions,
  ...topics,
  ...configs,
  ...quotas,
  ...security,
  ...brokers,
  ...raft,
};

/** Notes on embedded messages by name, as in the definitions. */
export const messageNotes: MessageOverlay = { ...records, ...groupRecords, ...metadataRecords };

const OPERATIONS = 'Bits of what the caller may do (KIP-430); -2147483648 when it did not ask.';

/** Docs of fields that mean the same everywhere, by name. */
export const commonFields: Readonly<Record<string, string>> = {
  throttleTimeMs: 'Milliseconds the client should wait; the broker enforces it by then not reading.',
  errorCode: 'See `ErrorCodes`.',
  groupInstanceId: 'Name of a static member (KIP-345).',
  authorizedOperations: OPERATIONS,
  topicAuthorizedOperations: OPERATIONS,
  clusterAuthorizedOperations: OPERATIONS,
  currentLeaderEpoch: '-1 unknown; else the leader checks it.',
  nodeEndpoints: 'Addresses of the leaders that the answer names.',
  brokerEpoch: "From the broker's registration: an older one is refused. -1 unknown.",
  incarnationId: 'New at each start of the process.',
  securityProtocol: '0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL.',
  leaderRecoveryState: '1 until a leader from an unclean election has recovered, else 0.',
  partitionEpoch: 'One more with each change of the partition.',
  stateEpoch: 'One more each time the share partition begins anew; an older one is refused.',
  deliveryState: '0 available, 2 acknowledged, 4 archived.',
  deliveryCompleteCount: 'Offsets from the start on that are done with; -1 unknown.',
  remoteLogSegmentState: '0 copy started, 1 copied, 2 deletion started, 3 deleted.',
};

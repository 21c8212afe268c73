/** Notes on client quotas (KIP-546) and client telemetry (KIP-714).
 * Sources: Kafka's definitions, the two KIPs.
 */
import type { ApiOverlay } from './notes.ts';

const ENTITY_TYPE = '`user`, `client-id` or `ip`.';
const ENTITY_NAME = 'Null for the default of the type.';
const QUOTA_KEY =
  'Such as `producer_byte_rate`, `consumer_byte_rate`, `request_percentage`, `controller_mutation_rate`.';
const COMPRESSION = '0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd';

/** Notes by API name. */
export const quotas: ApiOverlay = {
  DescribeClientQuotas: {
    about: 'Tells quotas of users, client ids and addresses; any broker answers.',
    history: 'Added by KIP-546.',
    fields: {
      'DescribeClientQuotasRequest.components.entityType': ENTITY_TYPE,
      'DescribeClientQuotasRequest.components.matchType':
        '0 the name in `match`, 1 the default of the type, 2 any name and the default.',
      'DescribeClientQuotasRequest.components.match': 'Null unless `matchType` is 0.',
      'DescribeClientQuotasRequest.strict': 'Leaves out entities with further types than those asked for.',
      'DescribeClientQuotasResponse.entries': 'Null after an error.',
      'DescribeClientQuotasResponse.entries.entity.entityType': ENTITY_TYPE,
      'DescribeClientQuotasResponse.entries.entity.entityName': ENTITY_NAME,
      'DescribeClientQuotasResponse.entries.values.key': QUOTA_KEY,
    },
  },
  AlterClientQuotas: {
    about:
      'Sets and removes quotas of users, client ids and addresses, on the controller; brokers forward it.',
    history: 'Added by KIP-546.',
    fields: {
      'AlterClientQuotasRequest.entries.entity.entityType': ENTITY_TYPE,
      'AlterClientQuotasRequest.entries.entity.entityName': ENTITY_NAME,
      'AlterClientQuotasRequest.entries.ops.key': QUOTA_KEY,
      'AlterClientQuotasRequest.entries.ops.value': 'Means nothing with `remove`.',
      'AlterClientQuotasRequest.validateOnly': 'Checks everything and changes nothing.',
    },
  },
  GetTelemetrySubscriptions: {
    about: 'Asks a broker which metrics of the client it wants, and gives the client its instance id.',
    history: 'Added by KIP-714.',
    fields: {
      'GetTelemetrySubscriptionsRequest.clientInstanceId': 'All zeros at first.',
      'GetTelemetrySubscriptionsResponse.clientInstanceId': 'The id to use from now on, if we had none.',
      'GetTelemetrySubscriptionsResponse.subscriptionId':
        'Stands for this answer; to be sent with every push.',
      'GetTelemetrySubscriptionsResponse.acceptedCompressionTypes': `${COMPRESSION}; best first.`,
      'GetTelemetrySubscriptionsResponse.pushIntervalMs':
        'Time between pushes, and until the next question if nothing is wanted.',
      'GetTelemetrySubscriptionsResponse.deltaTemporality':
        'Counters as growth since the last push, not as totals.',
      'GetTelemetrySubscriptionsResponse.requestedMetrics':
        'Prefixes of names; no elements: nothing is wanted; one empty string: everything.',
    },
  },
  PushTelemetry: {
    about: "Brings the client's metrics to a broker.",
    history: 'Added by KIP-714.',
    fields: {
      'PushTelemetryRequest.subscriptionId': 'UNKNOWN_SUBSCRIPTION_ID if it is no longer the present one.',
      'PushTelemetryRequest.terminating': 'The last push before the client closes; it may come early.',
      'PushTelemetryRequest.compressionType': `${COMPRESSION}.`,
      'PushTelemetryRequest.metrics': 'OpenTelemetry `MetricsData` v1 in protobuf.',
    },
  },
};

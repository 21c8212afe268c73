/** Notes on configurations and features of a cluster.
 * Sources: Kafka's definitions, the KIPs named, ConfigResource, ConfigSource and FeatureUpdate of Kafka.
 */
import type { ApiOverlay } from './notes.ts';

const RESOURCE_TYPE = '2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.';
const RESOURCE_NAME = 'For brokers the id in decimal, or empty for the default of all.';
const SOURCE =
  '1 topic, 2 broker, 3 default of all brokers, 4 file of the broker, 5 built in, 6 broker logger, ' +
  '7 client metrics, 8 group.';
const VALIDATE_ONLY = 'Checks everything and changes nothing.';

/** Notes by API name. */
export const configs: ApiOverlay = {
  DescribeConfigs: {
    about:
      'Tells configurations of topics, brokers, loggers, client metrics and groups; a broker or logger answers for itself.',
    history:
      'Added by KIP-133. v1 configSource, synonyms (KIP-226). v2 answers before it throttles (KIP-219). v3 configType, ' +
      'documentation (KIP-569).',
    fields: {
      'DescribeConfigsRequest.resources.resourceType': RESOURCE_TYPE,
      'DescribeConfigsRequest.resources.resourceName': RESOURCE_NAME,
      'DescribeConfigsRequest.resources.configurationKeys': 'Null asks for all.',
      'DescribeConfigsResponse.results.resourceType': RESOURCE_TYPE,
      'DescribeConfigsResponse.results.configs.value': 'Null if it is sensitive or not set.',
      'DescribeConfigsResponse.results.configs.configSource': SOURCE,
      'DescribeConfigsResponse.results.configs.synonyms':
        'Every place that could set the value, the one in force first.',
      'DescribeConfigsResponse.results.configs.synonyms.source': 'As `configSource`.',
      'DescribeConfigsResponse.results.configs.configType':
        '1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password; 0 unknown.',
      'DescribeConfigsResponse.results.configs.documentation': 'Null unless asked for.',
    },
  },
  AlterConfigs: {
    about:
      'Replaces whole configurations: what is left out goes back to its default. IncrementalAlterConfigs came instead.',
    history: 'Added by KIP-133. v1 answers before it throttles (KIP-219).',
    fields: {
      'AlterConfigsRequest.resources.resourceType': RESOURCE_TYPE,
      'AlterConfigsRequest.resources.resourceName': RESOURCE_NAME,
      'AlterConfigsRequest.resources.configs': 'All that is to be set afterwards.',
      'AlterConfigsRequest.validateOnly': VALIDATE_ONLY,
    },
  },
  IncrementalAlterConfigs: {
    about:
      'Changes single entries of configurations, on the controller; brokers forward it, but keep their loggers themselves.',
    history: 'Added by KIP-339; loggers by KIP-412.',
    fields: {
      'IncrementalAlterConfigsRequest.resources.resourceType': RESOURCE_TYPE,
      'IncrementalAlterConfigsRequest.resources.resourceName': RESOURCE_NAME,
      'IncrementalAlterConfigsRequest.resources.configs.configOperation':
        '0 set, 1 back to the default, 2 append to a list, 3 take out of a list.',
      'IncrementalAlterConfigsRequest.resources.configs.value': 'Null with operation 1.',
      'IncrementalAlterConfigsRequest.validateOnly': VALIDATE_ONLY,
    },
  },
  ListConfigResources: {
    about: 'Lists resources that may have a configuration; any broker answers.',
    history: 'v0 only client metrics (KIP-1000). v1 resourceTypes (KIP-1142).',
    fields: {
      'ListConfigResourcesRequest.resourceTypes': `${RESOURCE_TYPE} No elements: all of them.`,
      'ListConfigResourcesResponse.configResources.resourceType': RESOURCE_TYPE,
    },
  },
  UpdateFeatures: {
    about:
      'Raises or lowers the levels of the features that a cluster runs, on the controller; brokers forward it.',
    history:
      'Added by KIP-584. v1 upgradeType, validateOnly (KIP-778). v2 one error for all instead of results (KIP-1022).',
    fields: {
      'UpdateFeaturesRequest.featureUpdates.feature': 'Such as `metadata.version`.',
      'UpdateFeaturesRequest.featureUpdates.maxVersionLevel':
        'The new level; below 1 the feature is switched off.',
      'UpdateFeaturesRequest.featureUpdates.upgradeType':
        '1 only up, 2 down if nothing is lost, 3 down even if metadata is lost.',
      'UpdateFeaturesRequest.validateOnly': VALIDATE_ONLY,
    },
  },
};

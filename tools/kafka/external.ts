/**
 * Kafka that this launcher does not run from jars: a cluster named by KAFKA_BROKERS, or one node in a container.
 * Neither has nodes to kill or pause, so only plain single-node requests come here.
 * The container path needs a container engine and is not run by this project's CI, which has none.
 */
import type { KafkaCluster, KafkaOptions } from './cluster.ts';
import { freePorts } from './ports.ts';
import { aliveBrokers } from './probe.ts';
import { hasCommand } from './process.ts';

/** Whether Kafka comes from elsewhere: the environment says so or there is no Java, and nothing special is asked. */
export function wantsExternalKafka({ nodes = 1, version, ...special }: KafkaOptions): boolean {
  if (nodes !== 1 || Object.keys(special).length > 0) return false;
  if (process.env['KAFKA_BROKERS'] !== undefined) return version === undefined;
  return process.env['KAFKA_WIRE_CONTAINERS'] === '1' || (!hasCommand('java') && hasCommand('docker'));
}

/** The cluster of KAFKA_BROKERS ("host:port,host:port"), else a new container of `version`. */
export async function externalKafka(version: string): Promise<KafkaCluster> {
  const named = process.env['KAFKA_BROKERS']?.split(',').map((address) => address.trim());
  if (named === undefined) return containerKafka(version);
  await Promise.any(named.map((address) => aliveBrokers(address, 5000)));
  return withoutNodes('unknown', named, async () => {});
}

async function containerKafka(version: string): Promise<KafkaCluster> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const [port = 0] = await freePorts(1); // the broker must advertise the host's port, so it is chosen first
  const container = await new GenericContainer(`apache/kafka:${version}`)
    .withExposedPorts({ container: 9092, host: port })
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://localhost:${port}`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_NUM_PARTITIONS: '3',
      KAFKA_LOG_RETENTION_MS: '-1',
    })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .start();
  return withoutNodes(version, [`${container.getHost()}:${port}`], async () => {
    await container.stop();
  });
}

function withoutNodes(version: string, brokers: readonly string[], close: () => Promise<void>): KafkaCluster {
  return {
    version,
    brokers,
    nodes: [],
    node(nodeId) {
      throw new Error(
        `node ${nodeId} is not ours to handle: the cluster at ${brokers.join()} runs elsewhere`,
      );
    },
    close,
  };
}

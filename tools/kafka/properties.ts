/**
 * The server properties of a node: KRaft combined mode on loopback, a static quorum, timeouts cut down for tests.
 * Pure. Releases ignore keys they do not know, so one set serves all of them.
 */

/** Kafka's properties by name. */
export type Properties = Readonly<Record<string, string | number | boolean>>;

/** A listener beside the built-in INTERNAL, CLIENT and CONTROLLER. */
export interface ListenerOption {
  /** Upper case, as in `listeners`. */
  readonly name: string;
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
}

/** What is fixed about a node before it starts. */
export interface NodePlan {
  readonly nodeId: number;
  /** Port by listener name. */
  readonly ports: ReadonlyMap<string, number>;
  readonly dataDirectory: string;
}

/** The listeners every node has. Clients use CLIENT; it can be advertised at another address (a proxy) alone. */
export const builtInListeners: readonly ListenerOption[] = [
  { name: 'INTERNAL', protocol: 'PLAINTEXT' },
  { name: 'CLIENT', protocol: 'PLAINTEXT' },
  { name: 'CONTROLLER', protocol: 'PLAINTEXT' },
];

/** Properties for `startKafka` that roughly halve the time to a new leader (1.4 s instead of 3) for the price of false
 * alarms on a machine that stalls for a second. */
export const fastFailover: Properties = {
  'broker.session.timeout.ms': 1500,
  'broker.heartbeat.interval.ms': 200,
  'controller.quorum.fetch.timeout.ms': 1000,
  'replica.fetch.backoff.ms': 50,
  'replica.fetch.wait.max.ms': 100,
};

/** The properties of one node of a cluster. */
export function serverProperties(
  node: NodePlan,
  cluster: readonly NodePlan[],
  listeners: readonly ListenerOption[],
): Properties {
  const url = ({ name }: ListenerOption): string => `${name}://127.0.0.1:${node.ports.get(name)}`;
  const replicas = cluster.length;
  const inSync = Math.min(2, replicas);
  return {
    'process.roles': 'broker,controller',
    'node.id': node.nodeId,
    'controller.quorum.voters': cluster
      .map(({ nodeId, ports }) => `${nodeId}@127.0.0.1:${ports.get('CONTROLLER')}`)
      .join(),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'INTERNAL',
    listeners: listeners.map(url).join(),
    // a static quorum refuses an advertised CONTROLLER
    'advertised.listeners': listeners
      .filter(({ name }) => name !== 'CONTROLLER')
      .map(url)
      .join(),
    'listener.security.protocol.map': listeners.map(({ name, protocol }) => `${name}:${protocol}`).join(),
    'log.dirs': node.dataDirectory,
    'num.partitions': 3,
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 5,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': 5,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': 3,
    // a killed node is let in again when its old session has ended; alone, it need not be patient with itself
    'broker.session.timeout.ms': replicas === 1 ? 1500 : 3000,
    'broker.heartbeat.interval.ms': replicas === 1 ? 250 : 500,
    // the first election of three nodes waits this long
    'controller.quorum.election.timeout.ms': 500,
    'controller.quorum.election.backoff.max.ms': 200,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'group.consumer.min.session.timeout.ms': 3000,
    'group.consumer.session.timeout.ms': 3000,
    'group.consumer.min.heartbeat.interval.ms': 500,
    'group.consumer.heartbeat.interval.ms': 500,
    // tests write records with timestamps of any year; retention would delete them after 30 s
    'log.retention.ms': -1,
    'log.cleaner.dedupe.buffer.size': 4_194_304,
    'log.cleaner.threads': 1,
  };
}

/** Properties as the text of a .properties file. */
export function propertiesText(properties: Properties): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${String(value).replaceAll('\\', '\\\\')}\n`)
    .join('');
}

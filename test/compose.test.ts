/**
 * docker-compose.yml says each address, id and factor in several places; these tests say that the places agree.
 * No engine is needed and none is started: only the file is read. The mutations prove that a slip would be found.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { defaultKafkaVersion } from '../tools/kafka/distribution.ts';

const file = readFileSync(new URL('../docker-compose.yml', import.meta.url), 'utf8');

interface Service {
  readonly image: string;
  readonly hostname?: string;
  readonly ports: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly environment: Readonly<Record<string, string | number>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** A broker's settings as the other places must repeat them. */
class Broker {
  readonly service: Service;
  /** "host:port" or ":port" by listener name. */
  readonly listeners: ReadonlyMap<string, string>;
  readonly advertised: ReadonlyMap<string, string>;

  constructor(service: Service) {
    this.service = service;
    this.listeners = urls(this.setting('LISTENERS'));
    this.advertised = urls(this.setting('ADVERTISED_LISTENERS'));
  }

  setting(name: string): string {
    return String(this.service.environment[`KAFKA_${name}`] ?? '');
  }

  port(listener: string): string {
    return this.listeners.get(listener)?.split(':')[1] ?? 'none';
  }
}

/** Everything in the file that contradicts something else in it. */
function contradictions(text: string): string[] {
  const { services, volumes }: Compose = parse(text, { merge: true });
  const { console: webConsole, ...rest } = services;
  const brokers = new Map(Object.entries(rest).map(([name, service]) => [name, new Broker(service)]));
  const found: string[] = [];
  const same = (what: string, got: unknown, expected: unknown): void => {
    const [left, right] = [JSON.stringify(got), JSON.stringify(expected)];
    if (left !== right) found.push(`${what}: ${left}, expected ${right}`);
  };

  same('brokers', [...brokers.keys()], ['kafka-1', 'kafka-2', 'kafka-3']);
  const voters = [...brokers].map(
    ([name, broker]) => `${broker.setting('NODE_ID')}@${name}:${broker.port('CONTROLLER')}`,
  );
  for (const [index, [name, broker]] of [...brokers].entries()) {
    same(`${name} node id`, broker.setting('NODE_ID'), String(index + 1));
    same(`${name} quorum voters`, broker.setting('CONTROLLER_QUORUM_VOTERS').split(','), voters);
    checkListeners(name, broker, same);
    checkFactors(name, broker, brokers.size, same);
    same(`${name} image`, broker.service.image, `apache/kafka:${defaultKafkaVersion}`);
    same(`${name} data`, broker.service.volumes, [`${name}:${broker.setting('LOG_DIRS')}`]);
    same(`${name} health`, broker.service.healthcheck?.test.at(-1), `localhost:${broker.port('INTERNAL')}`);
  }
  const clusterIds = new Set([...brokers.values()].map(({ service }) => service.environment['CLUSTER_ID']));
  same('one cluster id', clusterIds.size, 1);
  same(
    'cluster id of 22 characters',
    [...clusterIds].every((id) => /^[\w-]{21}[AQgw]$/.test(String(id))),
    true,
  );
  const published = Object.values(services).flatMap(({ ports }) => ports.map((port) => port.split(':')[1]));
  same('published ports used once', new Set(published).size, published.length);
  same('volumes', Object.keys(volumes), [...brokers.keys()]);
  const internal = [...brokers.values()].map(({ advertised }) => advertised.get('INTERNAL'));
  same(
    "the console's brokers",
    webConsole?.environment['KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS'],
    internal.join(),
  );
  same('the console waits for', Object.keys(webConsole?.depends_on ?? {}), [...brokers.keys()]);
  return found;
}

type Same = (what: string, got: unknown, expected: unknown) => void;

function checkListeners(name: string, broker: Broker, same: Same): void {
  const names = ['INTERNAL', 'CONTROLLER', 'HOST'];
  same(`${name} hostname`, broker.service.hostname, name);
  same(`${name} listeners`, [...broker.listeners.keys()], names);
  same(
    `${name} listeners on all interfaces`,
    [...broker.listeners.values()].every((url) => url.startsWith(':')),
    true,
  );
  same(
    `${name} listener ports used once`,
    new Set(names.map((listener) => broker.port(listener))).size,
    names.length,
  );
  same(
    `${name} protocols`,
    broker.setting('LISTENER_SECURITY_PROTOCOL_MAP').split(','),
    names.map((n) => `${n}:PLAINTEXT`),
  );
  same(`${name} controller listener`, broker.setting('CONTROLLER_LISTENER_NAMES'), 'CONTROLLER');
  same(`${name} inter-broker listener`, broker.setting('INTER_BROKER_LISTENER_NAME'), 'INTERNAL');
  const host = broker.port('HOST');
  same(
    `${name} advertised`,
    [...broker.advertised],
    [
      ['INTERNAL', `${name}:${broker.port('INTERNAL')}`],
      ['HOST', `127.0.0.1:${host}`],
    ],
  );
  same(`${name} published`, broker.service.ports, [`127.0.0.1:${host}:${host}`]);
  same(`${name} roles`, broker.setting('PROCESS_ROLES').split(',').sort(), ['broker', 'controller']);
}

function checkFactors(name: string, broker: Broker, count: number, same: Same): void {
  const factors = ['DEFAULT', 'OFFSETS_TOPIC', 'TRANSACTION_STATE_LOG', 'SHARE_COORDINATOR_STATE_TOPIC'].map(
    (topic) => broker.setting(`${topic}_REPLICATION_FACTOR`),
  );
  same(
    `${name} replication factors`,
    factors,
    factors.map(() => String(count)),
  );
  const inSync = [
    'MIN_INSYNC_REPLICAS',
    'TRANSACTION_STATE_LOG_MIN_ISR',
    'SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR',
  ];
  // with one broker down writes go on, with two they stop
  same(
    `${name} replicas in sync`,
    inSync.map((setting) => broker.setting(setting)),
    inSync.map(() => String(count - 1)),
  );
}

function urls(list: string): Map<string, string> {
  return new Map(
    list.split(',').map((url) => {
      const [name = '', address = ''] = url.split('://');
      return [name, address];
    }),
  );
}

describe('docker-compose.yml', () => {
  test('agrees with itself and with the release of the launcher', () => {
    expect(contradictions(file)).toEqual([]);
  });

  test.each([
    ['a node id twice', 'KAFKA_NODE_ID: 2', 'KAFKA_NODE_ID: 1'],
    ['a voter with a wrong id', '3@kafka-3:9093', '4@kafka-3:9093'],
    ['a voter with a wrong port', '2@kafka-2:9093', '2@kafka-2:9092'],
    ['a voter missing', ',3@kafka-3:9093', ''],
    ['a controller on a wrong port', 'CONTROLLER://:9093,HOST://:29092', 'CONTROLLER://:9094,HOST://:29092'],
    ['a listener that is not what is published', 'HOST://:19092', 'HOST://:19093'],
    ['an advertised port that nobody listens on', 'HOST://127.0.0.1:39092', 'HOST://127.0.0.1:39093'],
    ['an advertised name of another broker', 'INTERNAL://kafka-2:9092', 'INTERNAL://kafka-1:9092'],
    ['an advertised inter-broker port that is wrong', 'INTERNAL://kafka-1:9092', 'INTERNAL://kafka-1:9093'],
    ['a port published for everyone', "'127.0.0.1:29092:29092'", "'29092:29092'"],
    ['a port published twice', "'127.0.0.1:8080:8080'", "'127.0.0.1:19092:8080'"],
    ['a published port that is wrong', "'127.0.0.1:39092:39092'", "'127.0.0.1:39092:29092'"],
    ['a listener without a protocol', ',HOST:PLAINTEXT', ''],
    ['an inter-broker listener that does not exist', 'LISTENER_NAME: INTERNAL', 'LISTENER_NAME: PLAINTEXT'],
    [
      'a replication factor of one',
      'KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: 3',
      'KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: 1',
    ],
    ['all replicas required', 'KAFKA_MIN_INSYNC_REPLICAS: 2', 'KAFKA_MIN_INSYNC_REPLICAS: 3'],
    ['another release', 'apache/kafka:4.3.1', 'apache/kafka:4.2.0'],
    ['a cluster id that is too short', 'kafkaWireComposeAAAAAA', 'kafkaWireCompose'],
    ['a shared data volume', "'kafka-3:/var/lib/kafka/data'", "'kafka-2:/var/lib/kafka/data'"],
    ['a health check on a wrong port', 'localhost:9092', 'localhost:9093'],
    ['a console that knows a wrong port', 'kafka-2:9092,kafka-3:9092', 'kafka-2:9093,kafka-3:9092'],
  ])('would not pass with %s', (_what, right, wrong) => {
    expect(file).toContain(right);
    expect(contradictions(file.replace(right, wrong))).not.toEqual([]);
  });
});

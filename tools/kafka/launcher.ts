/**
 * Starts real Apache Kafka on loopback: one or three KRaft nodes from the jars of any release, without containers.
 * Used by tests, benchmarks and `npm run kafka`. Nothing outlives this process, whatever ends it (process.ts), and
 * `close()` leaves nothing on disk. Needs `java` (17 for Kafka 4) and, on first use of a release, `mvn`.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeOnce } from './cache.ts';
import type { KafkaCluster, KafkaOptions } from './cluster.ts';
import { archivePath, defaultKafkaVersion, formatDirectories } from './distribution.ts';
import { externalKafka, wantsExternalKafka } from './external.ts';
import { KafkaNode } from './node.ts';
import { freePorts } from './ports.ts';
import {
  builtInListeners,
  propertiesText,
  serverProperties,
  type NodePlan,
  type Properties,
} from './properties.ts';

const portAttempts = 3;

/**
 * Starts a cluster; settles when every node answers and lists all others. The first start of a release also fetches its
 * jars and records a class-data archive (about 12 s in all), later ones take about a second.
 * With KAFKA_BROKERS set, or KAFKA_WIRE_CONTAINERS=1, a plain single-node request is served by that cluster instead.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaCluster> {
  const version = options.version ?? defaultKafkaVersion;
  if (wantsExternalKafka(options)) return externalKafka(version);
  await makeArchive(version);
  return startNodes(version, options);
}

async function startNodes(version: string, options: KafkaOptions): Promise<KafkaCluster> {
  for (let attempt = 1; ; attempt++) {
    const cluster = await prepare(version, options);
    const ids = cluster.nodes.map(({ nodeId }) => nodeId);
    const starts = await Promise.allSettled(cluster.nodes.map((node) => node.start(ids)));
    const failed = starts.find((start) => start.status === 'rejected');
    if (failed === undefined) return cluster;
    await cluster.close({ keepLogs: true });
    // another process took a port between our look and the bind
    if (attempt < portAttempts && /BindException|Address already in use/.test(String(failed.reason)))
      continue;
    throw failed.reason;
  }
}

/** Directories, ports, properties: everything but the processes. */
async function prepare(version: string, options: KafkaOptions): Promise<KafkaCluster> {
  const { nodes: count = 1, listeners: extra = [], properties = {}, formatFlags = [], jvm = [] } = options;
  const listeners = [...builtInListeners, ...extra];
  const root = await mkdtemp(join(tmpdir(), 'kafka-wire-'));
  const ports = await freePorts(count * listeners.length);
  const plans = Array.from({ length: count }, (_, index): NodePlan => {
    const own = ports.slice(index * listeners.length);
    return {
      nodeId: index + 1,
      ports: new Map(listeners.map(({ name }, place) => [name, own[place] ?? 0])),
      dataDirectory: join(root, `data-${index + 1}`),
    };
  });
  const propertiesOf = (plan: NodePlan): Properties => ({
    ...serverProperties(plan, plans, listeners),
    ...(typeof properties === 'function' ? properties(plan) : properties),
  });
  const [first] = plans;
  if (first === undefined) throw new Error('nodes must be 1 or 3');
  const directories = new Map(plans.map(({ nodeId, dataDirectory }) => [nodeId, dataDirectory]));
  await formatDirectories(version, directories, propertiesOf(first), formatFlags);
  const nodes: KafkaNode[] = [];
  for (const plan of plans) {
    const folder = join(root, `node-${plan.nodeId}`);
    const propertiesPath = join(folder, 'server.properties');
    await mkdir(folder);
    await writeFile(propertiesPath, propertiesText(propertiesOf(plan)));
    const heapMb = options.heapMb ?? (count === 1 ? 320 : 256);
    nodes.push(
      new KafkaNode({ plan, version, propertiesPath, logPath: join(folder, 'server.log'), heapMb, jvm }),
    );
  }
  return clusterOf(version, root, nodes, plans);
}

function clusterOf(
  version: string,
  root: string,
  nodes: readonly KafkaNode[],
  plans: readonly NodePlan[],
): KafkaCluster {
  return {
    version,
    brokers: nodes.map(({ address }) => address),
    nodes,
    node(nodeId) {
      const found = nodes.find((node) => node.nodeId === nodeId);
      if (found === undefined) throw new Error(`no node ${nodeId}: there are 1 to ${nodes.length}`);
      return found;
    },
    async close({ keepLogs = false } = {}) {
      await Promise.all(nodes.map((node) => node.kill()));
      const leftovers = keepLogs ? plans.map(({ dataDirectory }) => dataDirectory) : [root];
      await Promise.all(leftovers.map((path) => rm(path, { recursive: true, force: true })));
    },
  };
}

/**
 * Records the release's class-data archive unless there is one: it halves a node's start and saves 50 MB of its memory.
 * The JVM writes it at a regular exit, so a node is started, left alone for its idle work, and stopped.
 */
async function makeArchive(version: string): Promise<void> {
  const path = await archivePath(version);
  if (existsSync(path)) return;
  await makeOnce(path, async (draft) => {
    const cluster = await startNodes(version, { jvm: [`-XX:ArchiveClassesAtExit=${draft}`] });
    await delay(1000);
    await Promise.all(cluster.nodes.map((node) => node.stop()));
    await cluster.close();
  });
}

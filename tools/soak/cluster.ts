/** Three real Kafka nodes behind a fault proxy: clients reach the brokers only through it, as they advertise its ports,
 * while the nodes talk to each other directly.
 */
import { FaultProxy } from 'kafka-wire/testing';
import type { KafkaCluster } from '../kafka/cluster.ts';
import { startKafka } from '../kafka/launcher.ts';
import { freePorts } from '../kafka/ports.ts';
import { fastFailover, type NodePlan, type Properties } from '../kafka/properties.ts';

/** The nodes and what stands in front of them. */
export interface ProxiedKafka {
  readonly kafka: KafkaCluster;
  readonly proxy: FaultProxy;
  /** Stops both; `keepLogs` as the cluster's. */
  close(options?: { readonly keepLogs?: boolean }): Promise<void>;
}

/** Starts them. */
export async function startProxiedKafka(version?: string): Promise<ProxiedKafka> {
  const ports = await freePorts(3);
  const properties = ({ nodeId, ports: own }: NodePlan): Properties => {
    const internal = `INTERNAL://127.0.0.1:${own.get('INTERNAL')}`;
    const client = `CLIENT://127.0.0.1:${ports[nodeId - 1]}`;
    return { ...fastFailover, 'advertised.listeners': `${internal},${client}` };
  };
  const kafka = await startKafka({ nodes: 3, properties, ...(version !== undefined && { version }) });
  const proxy = await FaultProxy.start({ brokers: kafka.brokers, listen: { ports } });
  const close = async (options?: { readonly keepLogs?: boolean }): Promise<void> => {
    await proxy.close();
    await kafka.close(options);
  };
  return { kafka, proxy, close };
}

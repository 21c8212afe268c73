/** One round: records through the proxy while everything goes wrong that the plan says, then the log against the history.
 * Invariant: the plan and the load come from the seed alone; the times of a real cluster do not.
 */
import { produceApi } from 'kafka-wire/protocol';
import { batchEvents, checkHistory, History, type HistoryReport } from 'kafka-wire/testing';
import { makeTrouble, planChaos, type Measure } from './chaos.ts';
import type { ProxiedKafka } from './cluster.ts';
import { Load } from './load.ts';
import { randomFrom } from './random.ts';
import { createTopic, readTopic } from './topic.ts';

/** How large a round is. */
export interface RoundOptions extends Measure {
  readonly seed: number;
  readonly records: number;
  /** Default 4. */
  readonly writers?: number;
  /** Default 3,500. */
  readonly recordsPerSecond?: number;
}

/** What came out of a round. */
export interface RoundResult {
  readonly report: HistoryReport;
  readonly history: History;
  /** Answers that were dropped. */
  readonly dropped: number;
  readonly retries: number;
  /** The first failures of calls. */
  readonly failures: readonly string[];
  readonly seconds: number;
}

const partitions = 6;
const deliveryTimeoutMs = 120_000;
/** Shorter than the longest pause: the broker stores batches whose request has timed out. */
const requestTimeoutMs = 4_000;

/** Runs a round on a cluster that is well, on a topic of its own. */
export async function runRound({ kafka, proxy }: ProxiedKafka, options: RoundOptions): Promise<RoundResult> {
  const { seed, records, writers = 4, recordsPerSecond = 3_500 } = options;
  const startedMs = performance.now();
  const random = randomFrom(seed);
  const plan = planChaos(options, random);
  const history = new History({ now: () => performance.now(), seed });
  const topic = `round-${seed}`;
  const { brokers } = proxy;
  await createTopic(brokers, topic, partitions);
  proxy.faults.on(produceApi, (request, { clientId }) => {
    for (const event of batchEvents(request, clientId)) history.add(event);
  });
  const dropping = plan.drops.toReversed();
  const injected: { readonly remaining: number }[] = [];
  const onSent = (sent: number): void => {
    // Spread over the load; the last one leaves records behind it that meet it.
    while (injected.length < Math.floor((sent / records) * (plan.drops.length + 1))) {
      const drop = dropping.pop();
      if (drop === undefined) return;
      injected.push(proxy.faults.inject(drop));
    }
  };
  const load = new Load({
    brokers,
    topic,
    partitions,
    records,
    writers,
    recordsPerSecond,
    requestTimeoutMs,
    deliveryTimeoutMs,
    random,
    history,
    onSent,
  });
  const chaos = async (): Promise<void> => {
    const parts = plan.troubles.length + 1;
    load.allow(2 / parts);
    for (const [index, trouble] of plan.troubles.entries()) {
      await load.reached((index + 0.5) / parts);
      load.allow((index + 2) / parts);
      await makeTrouble(kafka, trouble, () => load.underWay());
    }
    load.allow(1);
  };
  await Promise.all([load.run(), chaos()]);
  const dropped = injected.filter(({ remaining }) => remaining === 0).length;
  proxy.faults.clear();
  await readTopic(brokers, topic, partitions, history);
  return {
    report: checkHistory(history, { deliveryTimeoutMs }),
    history,
    dropped,
    retries: load.retries,
    failures: load.failures,
    seconds: (performance.now() - startedMs) / 1_000,
  };
}

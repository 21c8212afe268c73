/** kafkajs: an idempotent producer with five requests in flight, as it may have with one broker. It has no lz4. */
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { callRecords, inLanes, inTurn, inWaves, payloads, type Producer, type Work } from './contestant.ts';

/** Connects on first use. */
export function kafkajs(work: Work): Producer {
  const { broker, topic, shape } = work;
  const calls = payloads(work);
  const call = inTurn(calls);
  const record = inTurn(calls.flat());
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 5,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  let connected: Promise<void> | undefined;
  const connect = (): Promise<void> => (connected ??= producer.connect());
  const send = (messages: ReturnType<typeof call>): Promise<unknown> =>
    producer.send({ topic, messages: messages as (typeof messages)[number][] });
  return {
    async write(records) {
      await connect();
      if (shape === 'batches') await inLanes(records / callRecords, () => send(call()));
      else await inWaves(records, () => send([record()]));
    },
    async single() {
      await connect();
      await send([record()]);
    },
    close: async () => connected && producer.disconnect(),
  };
}

/** kafkajs: idempotent producer with five requests in flight, consumer group from the beginning. */
import { Kafka, logLevel, Partitioners, type Consumer } from 'kafkajs';
import { callRecords, inParallel, payloads, type Contestant, type Work } from './client.ts';

/** Connects the producer on first use. */
export function kafkajs({ broker, topic, valueBytes }: Work): Contestant {
  const pool = payloads(valueBytes);
  const payload = (index: number) => pool[index % pool.length] as (typeof pool)[number];
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 5,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  let connected: Promise<void> | undefined;
  const connect = (): Promise<void> => (connected ??= producer.connect());

  /** Runs a consumer until `done` resolves. */
  async function consume(run: (consumer: Consumer, done: () => void) => Promise<void>): Promise<void> {
    const consumer = kafka.consumer({ groupId: `bench-${process.pid}-${Date.now()}`, maxWaitTimeInMs: 500 });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => run(consumer, resolve).catch(reject));
    await consumer.disconnect();
  }

  return {
    async produceBatches(records) {
      await connect();
      await inParallel(records / callRecords, 4, (call) => {
        const messages = Array.from({ length: callRecords }, (_, index) => {
          const { key, value } = payload(call * callRecords + index);
          return { key, value };
        });
        return producer.send({ topic, messages });
      });
    },
    async produceEach(records) {
      await connect();
      for (let sent = 0; sent < records; sent += 10_000) {
        const count = Math.min(10_000, records - sent);
        const send = (index: number) => producer.send({ topic, messages: [payload(sent + index)] });
        await Promise.all(Array.from({ length: count }, (_, index) => send(index)));
      }
    },
    consumeBatches: (records, mark) =>
      consume((consumer, done) => {
        let soFar = 0;
        let bytes = 0;
        return consumer.run({
          eachBatch: async ({ batch }) => {
            for (const message of batch.messages) bytes += message.value?.length ?? 0;
            soFar += batch.messages.length;
            mark(soFar);
            if (soFar >= records && bytes >= 0) done();
          },
        });
      }),
    consumeEach: (records, mark) =>
      consume((consumer, done) => {
        let soFar = 0;
        let bytes = 0;
        return consumer.run({
          eachMessage: async ({ message }) => {
            bytes += message.value?.length ?? 0;
            if (++soFar % callRecords === 0) mark(soFar);
            if (soFar >= records && bytes >= 0) done();
          },
        });
      }),
    close: async () => {
      if (connected !== undefined) await producer.disconnect();
    },
  };
}

/** kafkajs: a consumer group of one, from the beginning. */
import { Kafka, logLevel, type Consumer } from 'kafkajs';
import { markRecords, type Contestant, type Work } from './contestant.ts';

/** Connects on first use. */
export function kafkajs({ broker, topic, records }: Work): Contestant {
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });

  /** Runs a consumer until `done` is called. */
  async function consume(run: (consumer: Consumer, done: () => void) => Promise<void>): Promise<void> {
    const consumer = kafka.consumer({ groupId: `bench-${process.pid}-${Date.now()}`, maxWaitTimeInMs: 500 });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => run(consumer, resolve).catch(reject));
    await consumer.disconnect();
  }

  return {
    byBatch: (mark) =>
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
    byRecord: (mark) =>
      consume((consumer, done) => {
        let soFar = 0;
        let bytes = 0;
        return consumer.run({
          eachMessage: async ({ message }) => {
            bytes += message.value?.length ?? 0;
            if (++soFar % markRecords === 0) mark(soFar);
            if (soFar >= records && bytes >= 0) done();
          },
        });
      }),
  };
}

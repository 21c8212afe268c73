/** @platformatic/kafka: idempotent producer, its producer stream for queued writes, its message stream for reading. */
import { Consumer, Producer } from '@platformatic/kafka';
import { callRecords, inParallel, payloads, type Contestant, type Work } from './client.ts';

/** Connects on first use. */
export function platformatic({ broker, topic, valueBytes }: Work): Contestant {
  const pool = payloads(valueBytes);
  const payload = (index: number) => pool[index % pool.length] as (typeof pool)[number];
  const options = { clientId: 'bench', bootstrapBrokers: [broker] };
  const producer = new Producer({ ...options, idempotent: true });
  return {
    async produceBatches(records) {
      await inParallel(records / callRecords, 4, (call) => {
        const messages = Array.from({ length: callRecords }, (_, index) => {
          const { key, value } = payload(call * callRecords + index);
          return { topic, key, value };
        });
        return producer.send({ messages });
      });
    },
    async produceEach(records) {
      for (let sent = 0; sent < records; sent += 10_000) {
        const count = Math.min(10_000, records - sent);
        const send = (index: number) => producer.send({ messages: [{ topic, ...payload(sent + index) }] });
        await Promise.all(Array.from({ length: count }, (_, index) => send(index)));
      }
    },
    async produceQueued(records) {
      const stream = producer.asStream({ batchSize: callRecords, batchTime: 10, highWaterMark: 10_000 });
      for (let sent = 0; sent < records; sent++) {
        if (!stream.write({ topic, ...payload(sent) })) {
          await new Promise<void>((resolve) => stream.once('drain', () => resolve()));
        }
      }
      await stream.close();
    },
    async consumeBatches(records, mark) {
      // It has no reading by batch: its stream hands out records one by one.
      await this.consumeEach?.(records, mark);
    },
    async consumeEach(records, mark) {
      const groupId = `bench-${process.pid}-${Date.now()}`;
      const consumer = new Consumer({ ...options, groupId, maxBytes: 4 * 2 ** 20, maxWaitTime: 500 });
      const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: 1000 });
      let soFar = 0;
      let bytes = 0;
      await new Promise<void>((resolve, reject) => {
        stream.on('error', reject);
        stream.on('data', (message) => {
          bytes += message.value?.length ?? 0;
          if (++soFar % callRecords === 0) mark(soFar);
          if (soFar === records && bytes >= 0) resolve();
        });
      });
      await stream.close();
      await consumer.close(true);
    },
    close: () => producer.close(),
  };
}

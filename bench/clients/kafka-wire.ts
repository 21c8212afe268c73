/** kafka-wire: Writer and Reader with their defaults. */
import { Reader, Writer } from 'kafka-wire';
import { callRecords, inParallel, payloads, type Contestant, type Work } from './client.ts';

/** Connects on first use. */
export function kafkaWire({ broker, topic, partitions, valueBytes }: Work): Contestant {
  const pool = payloads(valueBytes);
  const writer = new Writer({ brokers: broker, topic });
  const payload = (index: number) => pool[index % pool.length] as (typeof pool)[number];
  const reader = () =>
    new Reader({
      brokers: broker,
      partitions: Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: 0 })),
    });
  return {
    async produceBatches(records) {
      await inParallel(records / callRecords, 4, (call) => {
        const messages = Array.from({ length: callRecords }, (_, index) => {
          const { key, value } = payload(call * callRecords + index);
          return { key, value };
        });
        return writer.writeMessages(messages);
      });
    },
    async produceEach(records) {
      for (let sent = 0; sent < records; sent += 10_000) {
        const count = Math.min(10_000, records - sent);
        await Promise.all(
          Array.from({ length: count }, (_, index) => writer.writeMessages(payload(sent + index))),
        );
      }
    },
    async produceQueued(records) {
      for (let sent = 0; sent < records; sent++) {
        const room = writer.enqueue(payload(sent));
        if (room !== undefined) await room;
      }
      await writer.flush();
    },
    async consumeBatches(records, mark) {
      await using source = reader();
      for (let soFar = 0, bytes = 0; soFar < records; mark(soFar)) {
        const batch = await source.fetchBatch();
        for (const message of batch) {
          bytes += message.value?.length ?? 0;
          soFar++;
        }
        if (bytes < 0) throw new Error('never: keeps the sum alive');
      }
    },
    async consumeEach(records, mark) {
      await using source = reader();
      let soFar = 0;
      let bytes = 0;
      for await (const message of source) {
        bytes += message.value?.length ?? 0;
        if (++soFar % callRecords === 0) mark(soFar);
        if (soFar === records) break;
      }
      if (bytes < 0) throw new Error('never: keeps the sum alive');
    },
    close: () => writer.close(),
  };
}

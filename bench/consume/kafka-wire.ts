/** kafka-wire: the Reader with its defaults. */
import { Reader } from 'kafka-wire';
import { markRecords, type Contestant, type Work } from './contestant.ts';

/** Connects on first use. */
export function kafkaWire({ broker, topic, partitions, records }: Work): Contestant {
  const reader = (): Reader =>
    new Reader({
      brokers: broker,
      partitions: Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: 0 })),
    });
  return {
    async byBatch(mark) {
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
    async byRecord(mark) {
      await using source = reader();
      let soFar = 0;
      let bytes = 0;
      for await (const message of source) {
        bytes += message.value?.length ?? 0;
        if (++soFar % markRecords === 0) mark(soFar);
        if (soFar === records) break;
      }
      if (bytes < 0) throw new Error('never: keeps the sum alive');
    },
  };
}

/** @platformatic/kafka: its message stream, which hands out records one by one, also where batches are asked for. */
import { Consumer } from '@platformatic/kafka';
import { markRecords, type Contestant, type Read, type Work } from './contestant.ts';

/** Connects on first use. */
export function platformatic({ broker, topic, records }: Work): Contestant {
  const read: Read = async (mark) => {
    const consumer = new Consumer({
      clientId: 'bench',
      bootstrapBrokers: [broker],
      groupId: `bench-${process.pid}-${Date.now()}`,
      maxBytes: 4 * 2 ** 20,
      maxWaitTime: 500,
    });
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: 1000 });
    let soFar = 0;
    let bytes = 0;
    await new Promise<void>((resolve, reject) => {
      stream.on('error', reject);
      stream.on('data', (message) => {
        bytes += message.value?.length ?? 0;
        if (++soFar % markRecords === 0) mark(soFar);
        if (soFar === records && bytes >= 0) resolve();
      });
    });
    await stream.close();
    await consumer.close(true);
  };
  return { byBatch: read, byRecord: read };
}

/** @platformatic/kafka: an idempotent producer; what is queued goes through its stream. */
import { Producer as PlatformaticProducer } from '@platformatic/kafka';
import {
  callRecords,
  inLanes,
  inTurn,
  inWaves,
  outstanding,
  payloads,
  type Producer,
  type Work,
} from './contestant.ts';

/** Connects on first use. */
export function platformatic(work: Work): Producer {
  const { broker, topic, shape, compression } = work;
  const calls = payloads(work).map((records) => records.map((payload) => ({ topic, ...payload })));
  const call = inTurn(calls);
  const record = inTurn(calls.flat());
  const producer = new PlatformaticProducer({
    clientId: 'bench',
    bootstrapBrokers: [broker],
    idempotent: true,
    compression,
  });
  const single = (): Promise<unknown> => producer.send({ messages: [record()] });
  const queued = async (records: number): Promise<void> => {
    const options = { batchSize: callRecords, batchTime: 10, highWaterMark: outstanding };
    const stream = producer.asStream(options);
    for (let left = records; left > 0; left--) {
      if (stream.write(record())) continue;
      await new Promise<void>((resolve) => stream.once('drain', () => resolve()));
    }
    await stream.close();
  };
  return {
    write(records) {
      if (shape === 'batches')
        return inLanes(records / callRecords, () => producer.send({ messages: call() }));
      return shape === 'each' ? inWaves(records, single) : queued(records);
    },
    single,
    close: () => producer.close(),
  };
}

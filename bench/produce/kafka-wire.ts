/** kafka-wire: the Writer with its defaults. */
import { Writer } from 'kafka-wire';
import { lz4 } from 'kafka-wire/compression';
import { callRecords, inLanes, inTurn, inWaves, payloads, type Producer, type Work } from './contestant.ts';

/** Connects on first use. */
export function kafkaWire(work: Work): Producer {
  const { broker, topic, shape, compression } = work;
  const calls = payloads(work);
  const call = inTurn(calls);
  const record = inTurn(calls.flat());
  const writer = new Writer({
    brokers: broker,
    topic,
    compression: compression === 'lz4' ? lz4 : undefined,
  });
  const single = (): Promise<unknown> => writer.writeMessages(record());
  const queued = async (records: number): Promise<void> => {
    for (let left = records; left > 0; left--) {
      const room = writer.enqueue(record());
      if (room !== undefined) await room;
    }
    await writer.flush();
  };
  return {
    write(records) {
      if (shape === 'batches') return inLanes(records / callRecords, () => writer.writeMessages(call()));
      return shape === 'each' ? inWaves(records, single) : queued(records);
    },
    single,
    close: () => writer.close(),
  };
}

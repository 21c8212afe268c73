/** Back pressure: a source that is faster than the broker. By default it is made to wait, and memory stays within
 * `maxBufferedBytes`; with `whenFull: 'fail'` it is told at once, and can drop what is worth least.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { KafkaError, Writer, type BatchOutcome } from 'kafka-wire';
import { produceApi } from 'kafka-wire/protocol';
import { check, play, type Setting } from './support/setting.ts';

const count = 5000;
const maxBufferedBytes = 64 * 1024;
const reading = (index: number): string => `reading ${index} `.padEnd(100, '.');

/** `enqueue` returns a promise when there is no room: whoever awaits it goes at the pace of the broker. */
async function waiting({ brokers, topic }: Setting): Promise<void> {
  await using writer = new Writer({ brokers, topic, maxBufferedBytes });
  let waits = 0;
  let peak = 0;
  for (let index = 0; index < count; index++) {
    const room = writer.enqueue({ value: reading(index) });
    peak = Math.max(peak, writer.stats().bufferedBytes);
    if (room === undefined) continue;
    waits++;
    await room;
  }
  await writer.flush();
  console.log(`${count} readings, ${waits} waits, at most ${peak} of ${maxBufferedBytes} bytes in memory`);
  check(
    writer.stats().total.messages === count && peak <= maxBufferedBytes,
    'all are written, within the memory',
  );
}

/** For readings that are worth nothing later: what finds no room is dropped. */
async function dropping({ brokers, topic }: Setting): Promise<void> {
  let written = 0;
  const completion = ({ error, messages }: BatchOutcome): void => {
    if (error === null) written += messages.length;
  };
  await using writer = new Writer({ brokers, topic, maxBufferedBytes, whenFull: 'fail', completion });
  let dropped = 0;
  for (let index = 0; index < count; index++) {
    // The source has its own pace.
    if (index % 100 === 0) await delay(1);
    try {
      await writer.enqueue({ value: reading(index) });
    } catch (error) {
      if (!(error instanceof KafkaError) || error.code !== 'BUFFER_FULL') throw error;
      dropped++;
    }
  }
  await writer.flush();
  check(written + dropped === count, `${written} written and ${dropped} dropped, and nobody waited`);
}

await play(1, async (setting) => {
  // A broker with much to do.
  setting.faults?.on(produceApi, () => delay(5, undefined));
  await waiting(setting);
  await dropping(setting);
});

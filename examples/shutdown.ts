/** Shutdown: on SIGTERM or SIGINT nothing new is taken, what was taken is delivered, and after a second at most it is
 * known of each message what became of it. Here the broker hangs just then, so that some messages must be given up.
 */
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { Writer, type BatchOutcome } from 'kafka-wire';
import { produceApi } from 'kafka-wire/protocol';
import { check, play } from './support/setting.ts';

await play(3, async ({ brokers, topic, faults }) => {
  let taken = 0;
  let written = 0;
  const failed = { no: 0, maybe: 0, yes: 0 };
  const completion = ({ error, messages }: BatchOutcome): void => {
    if (error === null) written += messages.length;
    // The place to keep the messages: those that are not stored for certain can be written again after the restart.
    else failed[error.stored ?? 'maybe'] += messages.length;
  };
  const writer = new Writer({ brokers, topic, completion });

  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => stop.abort(signal);
  process.once('SIGTERM', onSignal).once('SIGINT', onSignal);
  // Nobody has to be there to stop the example: the broker hangs, and a moment later the signal comes.
  void (async () => {
    await delay(300);
    faults?.inject({ api: produceApi, outcome: 'silence' });
    await delay(100);
    process.kill(process.pid, 'SIGTERM');
  })();

  while (!stop.signal.aborted) {
    for (let sensor = 0; sensor < 10; sensor++) {
      await writer.enqueue({ key: `sensor-${sensor}`, value: `reading ${taken}` });
      taken++;
    }
    await delay(5);
  }
  console.log(`${stop.signal.reason}: ${taken} taken, ${writer.stats().pendingMessages} not delivered yet`);

  const began = Date.now();
  await writer.close({ timeoutMs: 1000 });
  check(Date.now() - began < 1500, `closed after ${Date.now() - began} ms`);
  const { no, maybe, yes } = failed;
  const accounts = `${taken} taken: ${written} written, ${no} not stored, ${maybe} that may be`;
  check(taken === written + no + maybe + yes, accounts);
});

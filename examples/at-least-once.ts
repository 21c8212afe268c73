/** At least once: whatever happens, every order gets into the log; one whose answer is lost may get there twice.
 * For consumers that do not mind, or brokers that refuse idempotence. See idempotent.ts for the Writer's default.
 */
import { Writer, WriteErrors, type OutgoingMessage } from 'kafka-wire';
import { produceApi } from 'kafka-wire/protocol';
import { check, play, valuesIn } from './support/setting.ts';

/** Writes again what was not written, until nothing is left. Gives up where writing again would not help. */
async function writeAll(writer: Writer, messages: readonly OutgoingMessage[]): Promise<void> {
  let left = messages;
  while (left.length > 0) {
    try {
      await writer.writeMessages(left);
      return;
    } catch (error) {
      if (!(error instanceof WriteErrors) || !error.retriable) throw error;
      console.log(`${error.count} orders again, stored: ${error.stored}; ${error.cause}`);
      left = left.filter((_, index) => error.errors[index] !== null);
    }
  }
}

await play(1, async (setting) => {
  const { brokers, topic, faults } = setting;
  const orders = ['order-1', 'order-2', 'order-3'];
  await using writer = new Writer({
    brokers,
    topic,
    idempotent: false,
    // So short only that the example does not take two minutes.
    requestTimeoutMs: 1000,
    deliveryTimeoutMs: 1050,
  });
  await writeAll(writer, [{ value: 'order-0' }]);

  // The broker stores the next batch, and nobody hears of it.
  faults?.inject({ api: produceApi, outcome: 'silence' });
  await writeAll(
    writer,
    orders.map((value) => ({ value })),
  );

  const log = await valuesIn(setting, 0);
  console.log(`the log: ${log.join(' ')}`);
  check(
    orders.every((order) => log.includes(order)),
    'every order is in the log at least once',
  );
  if (faults !== undefined) check(log.length === 7, 'three of them twice');
});

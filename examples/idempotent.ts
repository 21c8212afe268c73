/** Exactly once into the log, which is the default: answers get lost, batches are sent again, five at a time are on their
 * way, and still each order lies there once and in its place.
 */
import { Writer } from 'kafka-wire';
import { produceApi } from 'kafka-wire/protocol';
import { check, play, valuesIn } from './support/setting.ts';

await play(1, async (setting) => {
  const { brokers, topic, faults } = setting;
  await using writer = new Writer({ brokers, topic, batchSize: 20 });
  await writer.writeMessages({ value: 'order-0' });

  // Two batches are stored, but the connection is lost before the broker can say so; two are not stored.
  faults?.inject({ api: produceApi, outcome: 'disconnect', times: 2 });
  faults?.inject({ api: produceApi, error: 'NOT_ENOUGH_REPLICAS', times: 2 });
  const orders = Array.from({ length: 200 }, (_, index) => `order-${index + 1}`);
  await Promise.all(orders.map((value) => writer.writeMessages({ value })));

  const { idempotent, total } = writer.stats();
  console.log(`idempotent: ${idempotent}; ${total.batches} batches, ${total.retries} sent again`);
  const log = await valuesIn(setting, 0);
  check(
    String(log) === String(['order-0', ...orders]),
    `${log.length} orders are in the log, once and in order`,
  );
});

/** A balancer of your own: partition 0 is a fast lane for urgent orders, the others are shared by key, so that the orders
 * of a customer stay in order. docs/balancers.md has the rules, and the balancers that are there.
 */
import { murmur2, Writer, type BalancerFunction } from 'kafka-wire';
import { check, play, valuesIn } from './support/setting.ts';

const byKey = murmur2();

/** Called for each message of a call before the first of them is sent. */
const withFastLane: BalancerFunction = (message, key, topic) => {
  if (message.context === 'urgent' || topic.partitions.length === 1) return 0;
  const lanes = topic.partitions.length - 1;
  return 1 + (byKey.partition(message, key, topic) % lanes);
};

await play(4, async (setting) => {
  const { brokers, topic } = setting;
  await using writer = new Writer({ brokers, topic, balancer: withFastLane });
  const receipt = await writer.writeMessages(
    Array.from({ length: 40 }, (_, index) => ({
      key: `customer-${index % 8}`,
      value: `order-${index} of customer-${index % 8}`,
      context: index % 10 === 0 ? 'urgent' : 'ordinary',
    })),
  );
  const { partition, offset } = receipt.at(0);
  console.log(`order-0 is urgent: partition ${partition}, offset ${offset}`);

  const lanes = await Promise.all([0, 1, 2, 3].map((lane) => valuesIn(setting, lane)));
  for (const [lane, values] of lanes.entries()) console.log(`partition ${lane}: ${values.length} orders`);
  check(lanes[0]?.length === 4, 'the urgent orders, and no others, are in partition 0');
  const customersOf = (values: readonly string[]): Set<string> =>
    new Set(values.map((value) => value.split(' ').at(-1) ?? ''));
  const total = lanes.slice(1).reduce((sum, values) => sum + customersOf(values).size, 0);
  check(total === 8, 'the ordinary orders of each customer are in one partition');
});

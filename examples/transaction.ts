/** Read, process, write, exactly once: what is written and how far was read become visible together, or not at all. The
 * processing fails now and then, and answers of the coordinator get lost; still there is one invoice for each order.
 */
import { KafkaError, Reader, Writer } from 'kafka-wire';
import { endTxnApi } from 'kafka-wire/protocol';
import { check, play } from './support/setting.ts';

const count = 1000;

await play(3, async ({ brokers, topic: orders, output: invoices, faults }) => {
  await using feed = new Writer({ brokers, topic: orders });
  await feed.writeMessages(
    Array.from({ length: count }, (_, n) => ({ key: `key-${n}`, value: `order-${n}` })),
  );

  await using reader = new Reader({ brokers, groupId: `${orders}-billing`, topic: orders });
  // The same name after a restart: what the process before has left open is aborted, and it can write no more.
  await using writer = new Writer({ brokers, topic: invoices, transactionalId: `${orders}-billing` });
  faults?.inject({ api: endTxnApi, outcome: 'disconnect', times: 3 });

  let [attempts, failures] = [0, 0];
  for (let left = count; left > 0;) {
    try {
      left -= await writer.transaction(
        async (transaction) => {
          const batch = await reader.fetchBatch({ maxRecords: 100 });
          const { topic, partition, lastOffset } = batch;
          await transaction.writeMessages(
            Array.from(batch, (order) => ({ value: `invoice for ${order.text()}` })),
          );
          if (++attempts % 4 === 0) throw new Error('processing failed');
          await transaction.sendOffsets([{ topic, partition, offset: lastOffset + 1 }]);
          return batch.length;
        },
        { source: reader },
      );
    } catch (error) {
      if (error instanceof KafkaError && error.code === 'FENCED') throw error;
      // It was aborted, and the reader stands where the group has committed: the same orders come again.
      failures++;
    }
  }
  console.log(`${attempts} transactions, ${failures} of them aborted`);
  await writer.transaction((transaction) => transaction.writeMessages({ value: 'end' }));
  await using auditor = new Reader({ brokers, topic: invoices, partition: 0 });
  const seen: string[] = [];
  for await (const invoice of auditor) {
    if (invoice.text() === 'end') break;
    seen.push(invoice.text() ?? '');
  }
  const isOnce = seen.length === count && new Set(seen).size === count;
  check(isOnce, `there are ${seen.length} invoices, one for each order`);
});

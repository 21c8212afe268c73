/**
 * Copies one topic into another in transactions, as a process of its own that a test may kill at any moment.
 * Argument: JSON of CopierOptions. Says on stdout after each commit how many records it has copied. SIGTERM: ends with code
 * 0. A second one with the same transactional id ends this one with code 1.
 */
import { KafkaError, Reader, Writer, type Transaction } from 'kafka-wire';

/** What to copy. */
export interface CopierOptions {
  readonly brokers: readonly string[];
  readonly input: string;
  readonly output: string;
  /** Of the group and of the transactions. */
  readonly id: string;
}

const { brokers, input, output, id } = JSON.parse(process.argv[2] ?? '') as CopierOptions;
const quick = { sessionTimeoutMs: 3000, heartbeatIntervalMs: 300 };
const reader = new Reader({ brokers, groupId: id, topic: input, requestTimeoutMs: 5000, ...quick });
const writer = new Writer({ brokers, topic: output, transactionalId: id, requestTimeoutMs: 5000 });

async function copy(transaction: Transaction): Promise<number> {
  const batch = await reader.fetchBatch({ maxRecords: 200 });
  const { topic, partition, lastOffset } = batch;
  void transaction.writeMessages(Array.from(batch, ({ key, value }) => ({ key, value })));
  await transaction.sendOffsets([{ topic, partition, offset: lastOffset + 1 }]);
  return batch.length;
}

async function main(): Promise<void> {
  for (let copied = 0; ;) {
    try {
      copied += await writer.transaction(copy, { source: reader });
      process.stdout.write(`${copied}\n`);
    } catch (error) {
      const { message, code } = error as KafkaError;
      process.stderr.write(`${message}\n`);
      if (code === 'FENCED' && !(error as KafkaError).retriable) throw error;
    }
  }
}

process.once('SIGTERM', () => process.exit(0));
main().catch(() => process.exit(1));

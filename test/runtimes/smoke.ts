/** What the client must do on every runtime, on its public names alone: write, read a partition, read as a group.
 * Not here: how a runtime starts it (smoke-process.ts, smoke-worker.ts), and the cluster it talks to.
 * Invariant: it closes what it makes, so a process that runs it must end by itself.
 */
import { gzip, Reader, Writer } from '../../src/index.ts';
import { crc32c, crc32cPure } from '../../src/protocol/index.ts';

/** Where the smoke finds its cluster; `topic` has two partitions and is empty. */
export interface SmokeEnvironment {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly groupId: string;
}

const count = 200;

function equal(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)} instead of ${String(expected)}`);
}

async function write({ brokers, topic }: SmokeEnvironment): Promise<void> {
  // Plain and compressed: the second half is long enough to shrink.
  for (const [compression, tail] of [
    [undefined, ''],
    [gzip, '.'.repeat(500)],
  ] as const) {
    const writer = new Writer({ brokers, topic, compression });
    const messages = Array.from({ length: count / 2 }, (_, index) => ({
      key: `order-${index}`,
      value: `${index}${tail}`,
      headers: { source: 'smoke', __proto__x: 'kept' },
    }));
    const receipt = await writer.writeMessages(messages);
    equal(receipt.length, messages.length, 'receipt');
    equal(typeof receipt.at(0).offset, 'number', 'offset of the first message');
    await writer.close();
  }
}

async function readPartitions({ brokers, topic }: SmokeEnvironment): Promise<void> {
  const partitions = [0, 1].map((partition) => ({ topic, partition }));
  const reader = new Reader({ brokers, partitions, startOffset: 'earliest' });
  equal(await reader.readLag(), count, 'lag before reading');
  const seen = new Set<string>();
  while (seen.size < count) {
    const message = await reader.fetchMessage();
    equal(message.headers.length, 2, 'headers');
    seen.add(`${message.partition}:${message.offset}`);
  }
  equal(reader.lag(), 0, 'lag after reading');
  await reader.close();
}

async function readAsGroup({ brokers, topic, groupId }: SmokeEnvironment): Promise<void> {
  const first = new Reader({ brokers, groupId, topics: [topic], commits: 'manual' });
  let seen = 0;
  for await (const message of first) {
    seen++;
    if (seen < count) continue;
    await first.commitMessages(message);
    break;
  }
  await first.close();
  equal(seen, count, 'messages of the group');
}

declare const WebAssembly: { Instance: new (module: object) => object };

/** The checksum runs in WebAssembly here, and says what TypeScript says. */
function checksum(): void {
  const { Instance } = WebAssembly;
  let made = 0;
  WebAssembly.Instance = class extends Instance {
    constructor(module: object) {
      super(module);
      made++;
    }
  };
  const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => (index * index) % 251);
  equal(crc32c(bytes), crc32cPure(bytes), 'checksum');
  equal(made, 1, 'instances of WebAssembly');
  WebAssembly.Instance = Instance;
}

/** Rejects with what is wrong. */
export async function runSmoke(environment: SmokeEnvironment): Promise<void> {
  checksum();
  await write(environment);
  await readPartitions(environment);
  await readAsGroup(environment);
}

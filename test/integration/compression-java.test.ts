/** Java's own codecs and ours read each other, in both directions, at every size where a block ends and at every level;
 * one JVM a release. They also agree about damaged bytes: what Java refuses we refuse, and the other way round.
 */
import { expect, test } from 'vitest';
import { allCodecs, codecById, snappy, zstdCodec, type Codec } from '../../src/compression/index.ts';
import { platform } from '../../src/runtime/node.ts';
import { edgePayloads, noise, orders, repetitive, same } from '../compression/payloads.ts';
import { runJava } from './support/java.ts';
import { describeWith } from './support/tools.ts';

const maxBytes = 16 * 1024 * 1024;
const testTimeoutMs = 120_000;

/** The codecs, and the zstd in TypeScript wherever the runtime has one of its own. */
const inTypeScript = zstdCodec({});
const readers: readonly Codec[] = [...allCodecs, ...(platform.zstd ? [inTypeScript] : [])];
const writers = allCodecs.filter(({ name }) => name !== 'zstd' || platform.zstd !== undefined);
const levels: Readonly<Record<string, readonly (number | '-')[]>> = {
  gzip: ['-', 1, 9],
  snappy: ['-'],
  lz4: ['-', 1, 17],
  zstd: ['-', -5, 1, 12, 19],
};

/** Payloads of all kinds: those of the unit tests without the largest of each kind, which one of each stands for. */
const payloads = [
  ...edgePayloads().filter(({ bytes }) => bytes.length < 1_000_000),
  { name: '1 MiB of orders', bytes: orders(1_048_576) },
  { name: '1 MiB of noise', bytes: noise(1_048_576) },
  { name: '1 MiB of one value', bytes: repetitive(1_048_576) },
];

/** What Java reads and we do not: reserved flags of a gzip header, which RFC 1952 and zlib forbid. */
const stricter = new Set(['gzip with another byte 3']);

/** Large ones once per codec, not once per level. */
const few = payloads.filter(({ bytes }) => bytes.length >= 32_767 && bytes.length <= 65_537);

function base64(bytes: Uint8Array): string {
  return bytes.length === 0 ? '-' : Buffer.from(bytes).toString('base64');
}

/** The answers of CompressionOracle: bytes, or why not. */
async function askJava(tasks: readonly string[], version: string): Promise<(Buffer | string)[]> {
  const output = await runJava('CompressionOracle', [], { version, input: `${tasks.join('\n')}\n` });
  const lines = output.trimEnd().split('\n');
  expect(lines).toHaveLength(tasks.length);
  return lines.map((line) => {
    if (line.startsWith('!')) return line;
    return line === '-' ? Buffer.alloc(0) : Buffer.from(line, 'base64');
  });
}

interface Case {
  readonly what: string;
  readonly codecId: number;
  readonly magic: number;
  readonly bytes: Uint8Array;
  readonly task: string;
}

/** What Java is to write: every codec, level and format, and the framings that only others write. */
function javaWrites(): Case[] {
  const cases: Case[] = [];
  for (const { id, name } of allCodecs) {
    for (const level of levels[name] ?? []) {
      for (const { name: payload, bytes } of level === '-' ? payloads : few) {
        const what = `${name} ${level}, ${payload}`;
        cases.push({ what, codecId: id, magic: 2, bytes, task: `write ${name} ${level} 2 ${base64(bytes)}` });
      }
    }
  }
  for (const { name, bytes } of few) {
    const add = (codecId: number, magic: number, task: string): void => {
      cases.push({ what: `${task}, ${name}`, codecId, magic, bytes, task: `${task} ${base64(bytes)}` });
    };
    add(2, 2, 'write-snappy-raw');
    add(2, 2, 'write-snappy-blocks 1024');
    add(2, 2, 'write-snappy-blocks 131072');
    for (const sizeCode of [4, 5, 6, 7]) {
      add(3, 2, `write-lz4-blocks ${sizeCode} false`);
      add(3, 2, `write-lz4-blocks ${sizeCode} true`);
    }
    for (const magic of [0, 1])
      for (const codecId of [1, 2, 3]) {
        add(codecId, magic, `write ${codecById(allCodecs, codecId).name} - ${magic}`);
      }
  }
  return cases;
}

describeWith(['java', 'mvn'], 'Java and our codecs', () => {
  for (const version of ['4.3.1', '3.9.2']) {
    test(`read each other on Kafka ${version}: 0 differences`, { timeout: testTimeoutMs }, async () => {
      const byJava = javaWrites();
      const byUs: Case[] = [];
      for (const codec of writers) {
        const { id: codecId, name } = codec;
        for (const level of levels[name] ?? []) {
          for (const { name: payload, bytes } of level === '-' ? payloads : few) {
            const written = await codec.compress(bytes, level === '-' ? undefined : level);
            const task = `read ${name} 2 ${base64(written)}`;
            byUs.push({ what: `${name} ${level}, ${payload}`, codecId, magic: 2, bytes, task });
          }
        }
      }
      const answers = await askJava(
        [...byJava, ...byUs].map(({ task }) => task),
        version,
      );
      const different: string[] = [];
      for (const [index, { what, codecId, magic, bytes }] of byJava.entries()) {
        const written = answers[index] ?? '';
        for (const codec of readers.filter(({ id }) => id === codecId)) {
          const read =
            typeof written === 'string' ? written : await codec.decompress(written, { maxBytes, magic });
          if (typeof read === 'string' || !same(read, bytes))
            different.push(`by Java: ${what}: ${String(read).slice(0, 90)}`);
        }
      }
      for (const [index, { what, bytes }] of byUs.entries()) {
        const read = answers[byJava.length + index] ?? '';
        if (typeof read === 'string' || !same(read, bytes))
          different.push(`by us: ${what}: ${String(read).slice(0, 90)}`);
      }
      expect(different).toEqual([]);
      console.log(
        `Kafka ${version}: we read ${byJava.length} payloads by Java, Java ${byUs.length} by us; 0 differences`,
      );
    });
  }

  test('agree about what is damaged', { timeout: testTimeoutMs }, async () => {
    const damaged = await damages();
    const answers = await askJava(
      damaged.map(({ name, bytes }) => `read ${name} 2 ${base64(bytes)}`),
      '4.3.1',
    );
    const different: string[] = [];
    const counts = { refused: 0, read: 0, stricter: 0 };
    for (const [index, { what, codecId, bytes }] of damaged.entries()) {
      if (stricter.has(what)) continue;
      const byJava = answers[index] ?? '';
      for (const codec of readers.filter(({ id }) => id === codecId)) {
        const ours = await Promise.resolve()
          .then(() => codec.decompress(bytes, { maxBytes }))
          .catch((error: unknown) => String(error));
        if (typeof ours === 'string' && typeof byJava === 'string') counts.refused++;
        else if (typeof ours !== 'string' && typeof byJava !== 'string' && same(ours, byJava)) counts.read++;
        // libzstd overlooks surplus bits after the last literal, which RFC 8878 forbids.
        else if (typeof ours === 'string' && codec === inTypeScript) counts.stricter++;
        else different.push(`${what}: Java ${String(byJava).slice(0, 80)}, we ${String(ours).slice(0, 80)}`);
      }
    }
    expect(different).toEqual([]);
    console.log(
      `damaged payloads: both refuse ${counts.refused}, both read ${counts.read} alike, we alone refuse ${counts.stricter}`,
    );
  });
});

interface Damage {
  readonly what: string;
  readonly codecId: number;
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Payloads with something cut off, put behind or changed. */
async function damages(): Promise<Damage[]> {
  const found: Damage[] = [];
  for (const codec of writers) {
    const { id: codecId, name } = codec;
    const whole = await codec.compress(orders(3_000));
    const add = (what: string, bytes: Uint8Array): void => {
      found.push({ what: `${name} ${what}`, codecId, name, bytes });
    };
    for (let cut = 1; cut < whole.length; cut += cut < 24 ? 1 : 61)
      add(`without ${cut}`, whole.subarray(0, -cut));
    add('twice', Buffer.concat([whole, whole]));
    add('and 9 zeros', Buffer.concat([whole, new Uint8Array(9)]));
    if (name === 'snappy') continue;
    for (let at = 0; at < whole.length; at += at < 24 ? 1 : 61) {
      const changed = whole.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x41;
      add(`with another byte ${at}`, changed);
    }
  }
  const framed = snappy.compress(orders(100_000));
  for (const [at, value] of [
    [8, 1],
    [11, 2],
    [15, 2],
    [3, 0],
  ] as const) {
    const changed = framed.slice();
    changed[at] = value;
    found.push({ what: `snappy with another byte ${at}`, codecId: 2, name: 'snappy', bytes: changed });
  }
  return found;
}

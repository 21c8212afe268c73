/** Log segments: every batch that Kafka wrote is read, alone and one after another, and damage costs one batch. */
import { describe, expect, test } from 'vitest';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixture, fixtureNames } from '../../protocol/records/fixtures.ts';
import { randomFrom } from '../../integration/support/random.ts';
import { joined } from '../support/captures.ts';
import { kafkaWire, pieces, type JsonNode, type JsonPiece } from '../support/run.ts';

const SEED = Number(process.env['KAFKA_WIRE_SEED'] ?? 43);
const whole = fixtureNames.filter((name) => !name.includes('truncated'));

function nodesOf({ fields }: JsonPiece): JsonNode[] {
  const all: JsonNode[] = [];
  const walk = (nodes: readonly JsonNode[]): void => {
    for (const node of nodes) {
      all.push(node);
      walk(node.children ?? []);
    }
  };
  walk(fields);
  return all;
}

const valueOf = (piece: JsonPiece | undefined, name: string): unknown =>
  piece && nodesOf(piece).find(({ path }) => path.endsWith(`records[0].${name}`))?.value;

describe('every log that Kafka wrote', () => {
  for (const name of whole) {
    test(`is recognized and read: ${name}`, async () => {
      const { bytes, batches } = fixture(name);
      const { code, pieces: found } = await pieces(bytes);
      expect(found.map(({ kind, damage }) => ({ kind, damage }))).toEqual(
        batches.map(() => ({ kind: 'batch', damage: undefined })),
      );
      expect(found.map(({ bytes }) => bytes)).toEqual(batches.map(({ sizeInBytes }) => sizeInBytes));
      expect(found.map((piece) => valueOf(piece, 'crc'))).toEqual(batches.map(({ checksum }) => checksum));
      expect(code).toBe(0);
    });
  }

  test('is summed up by --headers, checksums verified', async () => {
    for (const name of whole) {
      const { bytes, batches } = fixture(name);
      const { code, out } = await kafkaWire(['decode', '--headers'], { input: bytes });
      expect(out.match(/crc ok/g) ?? [], name).toHaveLength(batches.length);
      expect(out, name).toMatch(new RegExp(`^${batches.length} batch(es)?, .*no damage$`, 'm'));
      expect(code, name).toBe(0);
    }
  });
});

test('a log that ends within a batch says how much is missing, and shows what is there', async () => {
  for (const name of fixtureNames.filter((each) => each.includes('truncated'))) {
    for (const args of [[], ['--headers']]) {
      const { code, out } = await kafkaWire(['decode', ...args], { input: fixture(name).bytes });
      expect(out, name).toMatch(/\d+ bytes (of the batch are not in the input|are not there)/);
      expect(code, name).toBe(1);
    }
  }
});

test(`one wrong byte costs one batch: it is named, and the next one is read (seed ${SEED})`, async () => {
  const random = randomFrom(SEED);
  const plain = fixture('plain').bytes;
  const input = joined(plain, plain, plain);
  for (let round = 0; round < 60; round++) {
    const at = plain.length + Math.floor(random() * plain.length);
    const damaged = input.slice();
    damaged[at] = (damaged[at] ?? 0) ^ (1 + Math.floor(random() * 255));
    const about = `byte ${at - plain.length}`;
    const { code, pieces: found } = await pieces(damaged);
    // The leader epoch and the lower bytes of the offset are under no checksum.
    const isFree = at - plain.length < 8 || (at - plain.length >= 12 && at - plain.length < 16);
    if (isFree && code === 0) continue;
    expect(code, about).toBe(1);
    expect(found[0]?.damage, about).toBeUndefined();
    expect(found.at(-1), about).toMatchObject({ kind: 'batch', at: 2 * plain.length });
    expect(found.at(-1)?.damage, about).toBeUndefined();
    const bad = found.find(({ kind, damage }) => kind === 'fault' || damage);
    const suspect = bad?.damage?.[0]?.suspect;
    if (suspect) expect({ by: suspect.by, at: suspect.offset }, about).toEqual({ by: 'checksum', at });
    else expect(at - plain.length, about).toBeLessThan(17);
    const { out, code: brief } = await kafkaWire(['decode', '--headers'], { input: damaged });
    expect(out.match(/crc ok/g), about).toHaveLength(2);
    expect(brief, about).toBe(1);
  }
});

test('a single batch is recognized although its checksum fails', async () => {
  for (const name of ['plain', 'many', 'headers', 'gzip']) {
    const bytes = fixture(name).bytes.slice();
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 0x10;
    const { code, pieces: found } = await pieces(bytes);
    expect(found, name).toMatchObject([{ kind: 'batch' }]);
    expect(found[0]?.damage?.[0]?.path, name).toBe('records[0].crc');
    expect(code, name).toBe(1);
  }
});

test('space that a broker reserved behind the batches is no damage', async () => {
  const { bytes } = fixture('several');
  const { code, out } = await kafkaWire(['decode', '--headers'], {
    input: joined(bytes, new Uint8Array(5000)),
  });
  expect(out).toContain('reserved space, all zeros');
  expect(code).toBe(0);
});

test('garbage in between is passed over, and its place and size are told', async () => {
  const { bytes } = fixture('several');
  const garbage = Uint8Array.from({ length: 700 }, (_, index) => (index * 89 + 7) & 0xff);
  const { code, pieces: found } = await pieces(joined(bytes, garbage, bytes), ['--form', 'segment']);
  expect(found.map(({ kind }) => kind)).toEqual([
    ...Array(3).fill('batch'),
    'fault',
    ...Array(3).fill('batch'),
  ]);
  expect(found[3]).toMatchObject({ skipped: 700, isDamage: true });
  expect(code).toBe(1);
});

describe('the topic', () => {
  const offsets = fixture('plain').bytes;

  test('is that of the directory, or of --topic', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kafka-wire-'));
    try {
      const directory = join(folder, 'orders-of-2024-12');
      await mkdir(directory);
      const path = join(directory, '00000000000000000000.log');
      await writeFile(path, offsets);
      const topicOf = async (...args: string[]): Promise<unknown> => {
        const { out } = await kafkaWire(['decode', '--ndjson', ...args, path]);
        return (JSON.parse(out.split('\n')[0] ?? '') as JsonPiece).topic;
      };
      expect(await topicOf()).toBe('orders-of-2024');
      expect(await topicOf('--topic', 'mine')).toBe('mine');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test('a batch that says it is huge takes no memory for it', async () => {
  const { bytes } = fixture('plain');
  for (const length of [0x0fff_fff0, 0x7fff_ffff, -1]) {
    const damaged = joined(bytes, bytes);
    new DataView(damaged.buffer).setInt32(8, length);
    const before = process.memoryUsage().arrayBuffers;
    const { code, pieces: found } = await pieces(damaged, ['--form', 'segment']);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 2 ** 20);
    expect(found.at(-1)).toMatchObject({ kind: 'batch', at: bytes.length });
    expect(code).toBe(1);
  }
});

/**
 * A log segment of 100 MB through the installed `kafka-wire decode`: how fast, and in how much memory. The limits are
 * promises: batch headers with their checksums at 50 MB/s, the whole tree at 3 MB/s, memory flat.
 */
import { spawn } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeRecordBatch } from '../../src/protocol/index.ts';
import { buildPackage, type BuiltPackage } from '../support/built-package.ts';

const SEGMENT_BYTES = 100_000_000;
const BATCH_RECORDS = 60;
/** A small segment needs as much memory as a large one, up to this. */
const NOISE_MIB = 64;

let built: BuiltPackage;
let folder: string;
let path: string;
let smallPath: string;
let batches = 0;

/** Writes batches of about 15 KB, every tenth compressed, until the segment is full. */
function writeSegment(): void {
  const text = new TextEncoder();
  const values = Array.from({ length: 64 }, (_, index) =>
    text.encode(`{"order":${index * 7919},"items":[${'1,'.repeat(40 + index)}0],"note":"${'x'.repeat(30)}"}`),
  );
  const gzip = { id: 1, compress: (records: Uint8Array): Uint8Array => gzipSync(records, { level: 1 }) };
  const file = openSync(path, 'w');
  for (let written = 0; written < SEGMENT_BYTES; batches++) {
    const first = batches * BATCH_RECORDS;
    const records = Array.from({ length: BATCH_RECORDS }, (_, index) => ({
      key: text.encode(`key-${(first + index) % 997}`),
      value: values[(first + index) % values.length] ?? null,
      timestamp: 1_700_000_000_000 + first + index,
      headers: index % 4 === 0 ? [{ key: 'trace', value: text.encode('1') }] : [],
    }));
    written += writeSync(
      file,
      encodeRecordBatch({ baseOffset: first, records, ...(batches % 10 === 9 && { codec: gzip }) }),
    );
  }
  closeSync(file);
  truncateSync(path, SEGMENT_BYTES);
}

beforeAll(async () => {
  built = await buildPackage();
  folder = mkdtempSync(join(tmpdir(), 'kafka-wire-'));
  path = join(folder, '00000000000000000000.log');
  writeSegment();
  smallPath = join(folder, '00000000000000000001.log');
  copyFileSync(path, smallPath);
  truncateSync(smallPath, SEGMENT_BYTES / 10);
});
afterAll(() => {
  built?.remove();
  if (folder) rmSync(folder, { recursive: true });
});

/** Tells the peak of a process's memory, in KiB. Linux counts what the parent had before `exec` in `maxRSS`. */
const peakProgram = `import fs from 'node:fs';
process.on('exit', () => {
  const status = fs.existsSync('/proc/self/status') ? fs.readFileSync('/proc/self/status', 'utf8') : '';
  const peak = /VmHWM:\\s+(\\d+)/.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
  fs.writeSync(2, 'peak ' + peak + '\\n');
});`;

/** Runs the command on the segment; what it printed last, megabytes a second, and its peak of memory. */
async function decode(
  file: string,
  ...args: string[]
): Promise<{ last: string; rate: number; rssMib: number }> {
  const hook = built.write('peak.mjs', peakProgram);
  const startedMs = performance.now();
  const child = spawn(process.execPath, ['--import', hook, built.commandPath, 'decode', ...args, file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
    timeout: 90_000,
  });
  let last = '';
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => (last = bytes.subarray(-400).toString()));
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  const seconds = (performance.now() - startedMs) / 1000;
  const peak = /^peak (\d+)$/m.exec(said)?.[1];
  expect(said, said).toMatch(/^peak \d+\n$/);
  const { size } = statSync(file);
  const rate = size / 1e6 / seconds;
  const rssMib = Number(peak) / 1024;
  process.stdout.write(
    `  decode ${args.join(' ')} of a ${(size / 1e6).toFixed(0)} MB segment: ${rate.toFixed(0)} MB/s, at most ${rssMib.toFixed(0)} MiB\n`,
  );
  return { last, rate, rssMib };
}

// The file ends within its last batch, as that of a broker that was killed may.
const end = (): string => `${batches} batches, ${batches * BATCH_RECORDS} records, 1 damaged place\n`;

test('batch headers with checksums: at least 50 MB/s, memory flat', { timeout: 90_000 }, async () => {
  const { last, rate, rssMib } = await decode(path, '--headers');
  expect(last).toContain(`${batches} batches`);
  expect(last).toContain('1 damaged place\n');
  expect(rate).toBeGreaterThanOrEqual(50);
  expect(rssMib - (await decode(smallPath, '--headers')).rssMib).toBeLessThan(NOISE_MIB);
});

test('the whole tree: at least 3 MB/s, memory flat', { timeout: 90_000 }, async () => {
  const { last, rate, rssMib } = await decode(path);
  expect(last).toContain(end());
  expect(rate).toBeGreaterThanOrEqual(3);
  expect(rssMib - (await decode(smallPath)).rssMib).toBeLessThan(NOISE_MIB);
});

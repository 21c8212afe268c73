/** The guides' promises: every TypeScript block compiles against the package's types and runs to its end against an
 * embedded broker, every link leads somewhere, every option and figure that a table names is there, and every file that is
 * to hold a KIP names it.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Writer } from 'kafka-wire';
import { EmbeddedCluster } from 'kafka-wire/testing';
import { resolveSettings } from '../src/client/writer/options.ts';
import { clientOptionNames } from '../src/client/cluster/index.ts';
import { GuideBlocks } from './support/guide-blocks.ts';
import { filesBelow, repositoryRoot as root } from './support/source-tree.ts';

const read = (path: string): Promise<string> => readFile(root + path, 'utf8');

const guides = new Map<string, string>();
const documents = ['README.md', 'DESIGN.md', 'CONTRIBUTING.md', ...filesBelow('docs', ['.md'])];
for (const path of documents) guides.set(path, await read(path));
const kafkaGo = guides.get('docs/kafka-go.md') ?? '';
const writing = guides.get('docs/writing.md') ?? '';
const blocks = new GuideBlocks('docs', kafkaGo + writing);

let cluster: EmbeddedCluster;
beforeAll(async () => {
  cluster = await EmbeddedCluster.start({ topics: [{ name: 'orders', partitions: 3 }] });
});
afterAll(() => cluster.close());

describe('the TypeScript blocks of the guides', () => {
  test('compile', async () => {
    expect(blocks.codes.length).toBeGreaterThanOrEqual(4);
    await blocks.compile();
  });

  test.each(blocks.codes.map((_, index) => index))('run to their end: %i', async (index) => {
    expect(await blocks.run(index, cluster.brokers[0])).toBe('');
  });
});

describe('a table', () => {
  /** The words in code marks of a column. */
  const cells = (text: string, column: number): string[] =>
    text
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .flatMap((line) =>
        Array.from((line.split('|')[column] ?? '').matchAll(/`(\w+)`/g), ([, word = '']) => word),
      );
  const section = (text: string, title: string): string =>
    text.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
  const settings = Object.keys(resolveSettings({ brokers: 'a' }));

  test("of kafka-go's fields names options that are there, and the Writer has no other", () => {
    const fields = section(kafkaGo, "Writer's fields");
    const extra = Array.from(
      (fields.split('Here, and not there:')[1] ?? '').matchAll(/`(\w+)`/g),
      ([, word]) => word,
    );
    const named = new Set([...cells(fields, 3), ...extra]);
    named.delete('enqueue');
    const known = new Set([...settings, ...clientOptionNames, 'client']);
    expect([...named].filter((name) => !known.has(String(name)))).toEqual([]);
    expect(settings.filter((name) => !named.has(name))).toEqual([]);
  });

  test.each(['kafka-go.md', 'writing.md'])(
    'of statistics in %s names figures that are there',
    async (guide) => {
      await using writer = new Writer({ brokers: cluster.brokers });
      const { window, ...gauges } = writer.stats();
      const known = new Set([...Object.keys(window), ...Object.keys(gauges)]);
      const text = guide === 'writing.md' ? section(writing, 'Tuning') : section(kafkaGo, 'Statistics');
      const named = guide === 'writing.md' ? cells(text.split('`stats()`')[1] ?? '', 1) : cells(text, 2);
      expect(named.length).toBeGreaterThan(8);
      expect(named.filter((name) => !known.has(name))).toEqual([]);
      if (guide === 'kafka-go.md')
        expect(Object.keys(window).filter((name) => !named.includes(name))).toEqual([]);
    },
  );

  test('of KIPs names files that name the KIP', async () => {
    const rows = (guides.get('docs/kips.md') ?? '').split('\n').filter((line) => line.startsWith('| KIP-'));
    expect(rows.length).toBeGreaterThan(30);
    const missing: string[] = [];
    for (const row of rows) {
      const files = Array.from(row.matchAll(/`(src\/[^`]+)`/g), ([, path = '']) => path);
      const texts = (await Promise.all(files.map(read))).join('\n');
      for (const [kip] of (row.split('|')[1] ?? '').matchAll(/KIP-\d+/g))
        if (!new RegExp(`\\b${kip}\\b|KIP-[\\d, ]*\\b${kip.slice(4)}\\b`).test(texts))
          missing.push(`${kip} in ${files}`);
    }
    expect(missing).toEqual([]);
  });
});

test('every link between documents leads to a file and a heading', () => {
  const slug = (heading: string): string =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .trim()
      .replace(/\s/g, '-');
  const dead: string[] = [];
  for (const [path, text] of guides) {
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : join(dirname(path), file);
      const headings = Array.from((guides.get(target) ?? '').matchAll(/^#+ (.+)$/gm), ([, each = '']) =>
        slug(each),
      );
      const isThere = existsSync(root + target) && (anchor === undefined || headings.includes(anchor));
      if (!isThere) dead.push(`${path}: ${link}`);
    }
  }
  expect(dead).toEqual([]);
});

/** Java reads what our encoder writes: random values of every message in every version, in one JVM. */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { messagesUnderTest, toHex } from '../protocol/api/java-fixtures.ts';
import { completed, toJavaJson, withJavaNames } from '../protocol/api/java-values.ts';
import { randomValue } from '../protocol/support/random-values.ts';
import { runReference } from './support/java-reference.ts';
import { randomFrom, runSeed } from './support/random.ts';
import { describeWith } from './support/tools.ts';

/** Values per message and version. */
const VALUES = 20;

/** What ReadBack prints. */
interface Report {
  readonly messages: number;
  readonly versions: number;
  readonly values: number;
  readonly different: number;
  readonly differences: readonly string[];
  readonly unseen: readonly string[];
}

/** One line for ReadBack: name, version, bytes, value. */
type Line = readonly [name: string, version: number, hex: string, json: string];

/** Lines of every message in every version. */
function* randomLines(random: () => number): Generator<Line> {
  for (const { name, message } of messagesUnderTest()) {
    for (let version = message.versions.min; version <= message.versions.max; version++) {
      const plan = message.plan(version);
      for (let count = 0; count < VALUES; count++) {
        const value = randomValue(plan, random) as object;
        const bytes = message.encode(value, version);
        const json = withJavaNames(name, toJavaJson(plan, completed(plan, value)));
        yield [name, version, toHex(bytes), JSON.stringify(json)];
      }
    }
  }
}

async function readBack(lines: Iterable<Line>): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-wire-read-back-'));
  try {
    const path = join(folder, 'lines');
    const file = await open(path, 'w');
    for (const line of lines) await file.write(`${line.join(' ')}\n`);
    await file.close();
    return JSON.parse(await runReference('ReadBack', [path])) as Report;
  } finally {
    await rm(folder, { recursive: true });
  }
}

describeWith(['java', 'mvn'], 'Java, of what our encoder wrote,', () => {
  test('reads every byte, finds every value equal, and writes the same bytes again', async () => {
    const seed = runSeed();
    const report = await readBack(randomLines(randomFrom(seed)));
    const { messages, versions, values, different } = report;
    console.log(
      `Java read back ${values} values, ${VALUES} each of ${versions} versions of ${messages} messages: ` +
        `${different} differences (seed ${seed})`,
    );
    expect(report.differences, `seed ${seed}`).toEqual([]);
    expect(different).toBe(0);
    expect(report.unseen, 'versions that Java has and we do not').toEqual([]);
    expect(values).toBe(versions * VALUES);
  }, 300_000);

  test('names what it finds wrong', async () => {
    const { different, differences } = await readBack([
      ['FindCoordinatorRequest', 1, '00016700', '{"key":"g","keyType":0}'],
      ['FindCoordinatorRequest', 1, '00016700', '{"key":"h","keyType":0}'],
      ['FindCoordinatorRequest', 1, '00016700', '{"key":"g"}'],
      ['FindCoordinatorRequest', 1, '00016700', '{"key":"g","keyType":0,"more":0}'],
      ['FindCoordinatorRequest', 1, '0001670000', '{"key":"g","keyType":0}'],
      ['FindCoordinatorRequest', 1, '000167', '{"key":"g","keyType":0}'],
      ['FindCoordinatorRequest', 3, '028000', '{"key":"\\ufffd","keyType":0}'],
      ['FindCoordinatorRequest', 3, '8200670000', '{"key":"g","keyType":0}'],
      ['FindCoordinatorRequest', 9, '00016700', '{"key":"g","keyType":0}'],
      ['NoSuchRequest', 0, '', '{}'],
    ]);
    expect(different).toBe(9);
    expect(differences).toEqual([
      'line 2, FindCoordinatorRequest v1: Java reads key: "g" and not "h"',
      'line 3, FindCoordinatorRequest v1: Java reads keyType: surplus',
      'line 4, FindCoordinatorRequest v1: Java reads more: missing',
      'line 5, FindCoordinatorRequest v1: Java cannot read it: java.lang.IllegalStateException: 1 bytes are left',
      expect.stringMatching(/^line 6, .*: Java cannot read it: /),
      expect.stringMatching(/^line 7, .*: Java cannot read it: /),
      'line 8, FindCoordinatorRequest v3: Java writes 02670000 and not 8200670000',
      'line 9, FindCoordinatorRequest v9: Java has no such version',
      'line 10, NoSuchRequest v0: Java has no such message',
    ]);
  }, 300_000);
});

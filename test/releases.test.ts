/** What is said of Kafka's releases follows from their jars, and our tables reach as far as the newest one. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorCode } from '../src/protocol/error-codes.ts';
import { apis } from '../src/protocol/api/registry.ts';
import { parseFacts, readReleases } from '../tools/releases/facts.ts';
import { pages } from '../tools/releases/pages.ts';
import { repositoryRoot } from './support/source-tree.ts';

test('the pages are what `npm run releases -- --pages` writes', () => {
  for (const { path, text } of pages()) {
    expect(readFileSync(repositoryRoot + path, 'utf8') === text, `${path} is outdated`).toBe(true);
  }
});

test('every table has exactly the versions of the newest release, unstable ones marked', () => {
  const newest = readReleases().apis.flatMap(({ key, name, versions }) => {
    const span = versions.at(-1);
    return span ? [{ key, name, min: span[0], max: span[2] ?? span[1], unstable: span.length > 2 }] : [];
  });
  expect(newest.length).toBeGreaterThan(85);
  expect(
    apis.map(({ key, name, unstable, request: { versions } }) => ({
      key,
      name,
      min: versions.min,
      max: versions.max,
      unstable,
    })),
  ).toEqual(newest);
});

test('every error code of the newest release has its name here', () => {
  for (const { code, name } of readReleases().errors) expect(errorCode(code).name).toBe(name);
});

test('an API that a release lacks, lost or renamed is told apart', () => {
  const lines = [
    ['api', '3.9.2', '4', 'LeaderAndIsr', '0', '7', '7'],
    ['api', '3.9.2', '43', 'ElectPreferredLeaders', '0', '2', '2'],
    ['error', '3.9.2', '6', 'NOT_LEADER_FOR_PARTITION', 'true'],
    ['api', '4.0.2', '43', 'ElectLeaders', '0', '2', '2'],
    ['api', '4.0.2', '68', 'ConsumerGroupHeartbeat', '0', '0', '1'],
    ['error', '4.0.2', '6', 'NOT_LEADER_OR_FOLLOWER', 'true'],
  ];
  const { releases, apis: found, errors } = parseFacts(lines.map((line) => line.join('\t')).join('\n'));
  expect(releases).toEqual(['3.9', '4.0']);
  expect(found).toEqual([
    { key: 4, name: 'LeaderAndIsr', versions: [[0, 7], null] },
    {
      key: 43,
      name: 'ElectLeaders',
      versions: [
        [0, 2],
        [0, 2],
      ],
    },
    { key: 68, name: 'ConsumerGroupHeartbeat', versions: [null, [0, 0, 1]] },
  ]);
  expect(errors).toEqual([{ code: 6, name: 'NOT_LEADER_OR_FOLLOWER', since: '3.9' }]);
});

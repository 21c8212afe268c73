/** `explain` tells what the tables, the releases and the notes say, and nothing about what does not exist. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { errorMeanings } from '../../../src/cli/explain/error-meanings.ts';
import { explain } from '../../../src/cli/explain/explain.ts';
import { apis } from '../../../src/protocol/api/registry.ts';

interface JavaError {
  readonly code: number;
  readonly name: string;
  readonly retriable: boolean;
}

const errors = JSON.parse(
  readFileSync(new URL('../../../fixtures/error-codes.json', import.meta.url), 'utf8'),
) as JavaError[];

describe('an error code', () => {
  test('has a meaning in words of its own, whichever of Java’s codes it is', () => {
    expect([...errorMeanings().keys()]).toEqual(errors.map(({ name }) => name));
    expect(new Set(errorMeanings().values()).size).toBe(errors.length);
  });

  test('is explained by number and by name, with Java’s verdict on retries and its first release', () => {
    for (const { code, name, retriable } of errors) {
      const [text = ''] = explain(name);
      expect(text).toContain(`error ${code} ${name}, ${retriable ? 'retriable' : 'not retriable'}\n`);
      expect(text).toContain(errorMeanings().get(name));
      expect(text).toMatch(/Kafka \d\.\d/);
      expect(explain(String(code))[0]).toBe(text);
    }
    expect(explain('member_id_required')[0]).toContain('Since Kafka 2.2.');
  });
});

describe('an API', () => {
  test('is explained by key and by name, however that is spelt', () => {
    for (const { key, name } of apis) {
      const text = explain(name).at(-1) ?? '';
      expect(text).toContain(`API ${key} ${name}\n`);
      expect(explain(String(key)).at(-1)).toBe(text);
      expect(explain(name.toLowerCase()).at(-1)).toBe(text);
    }
    expect(explain('list-offsets')).toEqual(explain('ListOffsets'));
  });

  test('tells the releases with its versions', () => {
    expect(explain('Fetch')[0]).toContain('2.1-2.2 10, 2.3-2.6 11, 2.7-3.0 12, 3.1-3.4 13, 3.5-3.6 15,');
    expect(explain('LeaderAndIsr')[0]).toMatch(
      /no version in current releases[^]*3\.4-3\.9 7, 4\.0-4\.4 none/,
    );
    expect(explain('InitProducerId')[0]).toContain('v6 is not final');
  });

  test('of a number that is an error code too comes after the code', () => {
    expect(explain('3').map((text) => text.split('\n')[0])).toEqual([
      'error 3 UNKNOWN_TOPIC_OR_PARTITION, retriable',
      'API 3 Metadata',
    ]);
  });
});

describe('a version of an API', () => {
  test('tells what it changed, its headers and its releases', () => {
    const [text = ''] = explain('Fetch:13');
    expect(text).toContain('Request header v2, response header v1.');
    expect(text).toContain('In Kafka 3.1 to 4.4.');
    expect(text).toContain('KIP-516');
    expect(text).toContain('+ topics.topicId uuid');
    expect(text).toContain('- topics.topic string');
    expect(explain('1:v13')).toEqual([text]);
  });

  test('lists the fields of the first one', () => {
    expect(explain('SaslHandshake:0')[0]).toContain('Request: mechanism string.');
  });

  test('says when it was dropped', () => {
    expect(explain('Produce:2')[0]).toMatch(/In Kafka 2\.1 to 3\.9\.\n.*KIP-896/);
  });

  test('says when it is not final', () => {
    expect(explain('InitProducerId:6')[0]).toContain('In Kafka 4.1 to 4.4, and not final.');
  });
});

test('nothing is said about what does not exist', () => {
  for (const what of [
    '',
    'Fetch:99',
    'Fetch:',
    'Fetch:x',
    'Nothing',
    '9999',
    '-2',
    '__proto__',
    'constructor:1',
  ]) {
    expect(explain(what), what).toEqual([]);
  }
});

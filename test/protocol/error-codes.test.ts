/** The error codes against Java's own list. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorCode, ErrorCodes } from '../../src/protocol/error-codes.ts';

const url = new URL('../../fixtures/error-codes.json', import.meta.url);
const java = JSON.parse(readFileSync(url, 'utf8')) as { code: number; name: string; retriable: boolean }[];

test('every code has the name and the retriable flag that Java gives it', () => {
  expect(java.map(({ code }) => errorCode(code))).toEqual(java);
});

test('every name leads to its code', () => {
  expect(ErrorCodes).toEqual(Object.fromEntries(java.map(({ name, code }) => [name, code])));
  expect(ErrorCodes.NOT_LEADER_OR_FOLLOWER).toBe(6);
  // @ts-expect-error: a name that Kafka does not have is an error at compile time
  expect(ErrorCodes.NO_SUCH_ERROR).toBeUndefined();
});

test('a code from a newer broker is named by its number and not retriable', () => {
  expect(errorCode(999)).toEqual({ code: 999, name: 'ERROR_999', retriable: false });
  expect(errorCode(-2)).toEqual({ code: -2, name: 'ERROR_-2', retriable: false });
});

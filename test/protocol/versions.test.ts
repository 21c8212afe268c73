/** Which version two sides speak. */
import { expect, test } from 'vitest';
import { fetchApi } from '../../src/protocol/api/01-fetch.ts';
import { initProducerIdApi } from '../../src/protocol/api/22-init-producer-id.ts';
import { negotiate } from '../../src/protocol/versions.ts';

test('the highest version that both know is chosen', () => {
  expect(negotiate(fetchApi, { min: 0, max: 11 })).toBe(11);
  expect(negotiate(fetchApi, { min: 4, max: 99 })).toBe(18);
  expect(negotiate(fetchApi, { min: 18, max: 20 })).toBe(18);
});

test('a cap keeps it lower', () => {
  expect(negotiate(fetchApi, { min: 0, max: 99 }, 12)).toBe(12);
  expect(negotiate(fetchApi, { min: 0, max: 9 }, 12)).toBe(9);
});

test('a version that is not final is not chosen', () => {
  expect(initProducerIdApi.request.versions.max).toBe(6);
  expect(negotiate(initProducerIdApi, { min: 0, max: 6 })).toBe(5);
});

test.each([
  ['an old broker', { min: 0, max: 3 }, 'Fetch: we speak v4 to v18, the broker v0 to v3'],
  ['a new broker', { min: 19, max: 30 }, 'Fetch: we speak v4 to v18, the broker v19 to v30'],
  ['a broker without the API', undefined, 'Fetch: we speak v4 to v18, the broker no version at all'],
])('%s is an UNSUPPORTED_VERSION error that names both spans', (_, range, message) => {
  expect(() => negotiate(fetchApi, range)).toThrow(
    expect.objectContaining({ code: 'UNSUPPORTED_VERSION', message }),
  );
});

test('a cap below the broker is an error that names the cap', () => {
  expect(() => negotiate(fetchApi, { min: 13, max: 18 }, 12)).toThrow(
    'Fetch: we speak v4 to v12, the broker v13 to v18',
  );
});

/** The transport contract on the Node that runs the tests, and what only Node's platform promises. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { platform } from '../../src/runtime/node.ts';
import { startPeer } from '../runtimes/peer.ts';
import { contractCases } from '../runtimes/transport-cases.ts';

let peer: Awaited<ReturnType<typeof startPeer>>;

beforeAll(async () => {
  peer = await startPeer();
});

afterAll(() => peer.close());

describe('the transport contract on Node', () => {
  for (const { name, run } of contractCases) test(name, () => run(platform, peer.environment));
});

describe('gzip on Node', () => {
  test('several members inflate to one output, at once and on a thread', async () => {
    const members = [100, 200_000, 1].map((byteLength) => new Uint8Array(byteLength).fill(byteLength));
    for (const count of [2, 3]) {
      const whole = Buffer.concat(members.slice(0, count));
      const input = Buffer.concat(members.slice(0, count).map((member) => gzipSync(member, { level: 0 })));
      expect(whole.equals(await platform.gunzip(input, 1_000_000))).toBe(true);
    }
  });

  test('small input is done at once, large input leaves the event loop free', async () => {
    const small = platform.gzip(new Uint8Array(1_000));
    expect(small).toBeInstanceOf(Uint8Array);
    expect(platform.gunzip(small as Uint8Array, 1_000)).toBeInstanceOf(Uint8Array);
    const large = platform.gzip(new Uint8Array(1_000_000));
    expect(large).toBeInstanceOf(Promise);
    expect(gunzipSync(await large)).toHaveLength(1_000_000);
  });

  test('a level makes a difference', async () => {
    const bytes = Buffer.from(Array.from({ length: 2_000 }, (_, index) => `order ${index * 7} `).join(''));
    expect((await platform.gzip(bytes, 9)).length).toBeLessThan((await platform.gzip(bytes, 1)).length);
  });
});

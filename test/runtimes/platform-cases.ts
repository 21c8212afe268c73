/** What every runtime's listener, clock, timers and gzip must do.
 * Not here: connections (transport-cases.ts).
 * Invariant: as there.
 */
import type { Platform, Transport } from '../../src/platform.ts';
import {
  bulk,
  bulkByte,
  check,
  checkBulk,
  equal,
  failureOf,
  pause,
  type ContractCase,
} from './contract-kit.ts';

const serving: ContractCase[] = [
  {
    name: 'a listener accepts, answers, and refuses once it is closed',
    async run(platform) {
      if (platform.listen === undefined) return;
      const accepted: Transport[] = [];
      const serve = async (transport: Transport): Promise<void> => {
        accepted.push(transport);
        for (let chunk = await transport.read(); chunk !== null; chunk = await transport.read()) {
          await transport.write([chunk.slice()]);
        }
        transport.close();
      };
      const listener = await platform.listen(
        { host: '127.0.0.1', port: 0 },
        (transport) => void serve(transport),
      );
      const transport = await platform.dial(listener.address, { connectTimeoutMs: 5_000 });
      const read = checkBulk(platform, transport, 4_000_000);
      await transport.write([bulk(0, 4_000_000)]);
      await read;
      await listener.close();
      await failureOf(platform.dial(listener.address, { connectTimeoutMs: 5_000 }));
      equal(accepted.length, 1, 'accepted connections');
      transport.close();
    },
  },
  {
    name: 'a taken port rejects the listener',
    async run(platform, { peer }) {
      if (platform.listen === undefined) return;
      equal((await failureOf(platform.listen(peer, () => undefined))).code, 'EADDRINUSE', 'code');
    },
  },
  {
    name: 'a name has addresses',
    async run(platform) {
      if (platform.lookup === undefined) return;
      const addresses = await platform.lookup('localhost');
      check(addresses.includes('127.0.0.1') || addresses.includes('::1'), addresses.join());
    },
  },
];

const timing: ContractCase[] = [
  {
    name: 'timers fire once, in order, and never after cancel; defer comes after what is queued now',
    async run(platform) {
      const order: string[] = [];
      const cancelled = platform.setTimer(1, () => order.push('cancelled'));
      platform.setTimer(20, () => order.push('late'));
      platform.setTimer(5, () => order.push('early'));
      platform.defer(() => order.push('deferred'));
      void Promise.resolve().then(() => order.push('microtask'));
      cancelled.cancel();
      cancelled.cancel();
      await pause(platform, 40);
      equal(order.join(), 'microtask,deferred,early,late', 'order');
    },
  },
  {
    name: 'the clocks run and random numbers differ',
    async run(platform) {
      const [wallMs, ms] = [platform.now(), platform.monotonicNow()];
      await pause(platform, 10);
      check(platform.now() >= wallMs && wallMs > 1_700_000_000_000, 'wall clock');
      check(platform.monotonicNow() >= ms + 5, 'monotonic clock');
      check(platform.random() !== platform.random() && platform.random() < 1, 'random numbers');
    },
  },
];

const compressing: ContractCase[] = [
  {
    name: 'gzip comes back as it was, of every size',
    async run(platform) {
      for (const byteLength of [0, 1, 1_000, 70_000, 3_000_000]) {
        const compressed = await platform.gzip(bulk(0, byteLength));
        const inflated = await platform.gunzip(compressed, byteLength + 1);
        equal(inflated.length, byteLength, 'length');
        for (let index = 0; index < byteLength; index += 97)
          equal(inflated[index], bulkByte(index), `byte ${index}`);
      }
    },
  },
  {
    name: 'gzip members one after another inflate to one output, at once too, and what follows them is not read',
    async run(platform) {
      for (const byteLengths of [
        [10, 20],
        [100_000, 0, 50_000, 1],
      ]) {
        const members: Uint8Array[] = [];
        for (const byteLength of byteLengths) members.push(await platform.gzip(bulk(0, byteLength)));
        const input = joined([...members, Uint8Array.of(0, 0, 7)]);
        const expected = joined(byteLengths.map((byteLength) => bulk(0, byteLength)));
        const outputs = [await platform.gunzip(input, 1_000_000), platform.gunzipSync?.(input, 1_000_000)];
        for (const inflated of outputs) {
          equal(inflated?.length, expected.length, 'length');
          for (let index = 0; index < expected.length; index += 9)
            equal(inflated?.[index], expected[index], `byte ${index}`);
        }
      }
    },
  },
  {
    name: 'zstd, where there is one, comes back as it was and stops at the limit',
    async run({ zstd }) {
      if (zstd === undefined) return;
      for (const byteLength of [1, 1_000, 70_000, 3_000_000]) {
        const compressed = await zstd.compress(bulk(0, byteLength), 1);
        for (const inflated of [
          await zstd.decompress(compressed, byteLength),
          zstd.decompressSync(compressed, byteLength),
        ]) {
          equal(inflated.length, byteLength, 'length');
          for (let index = 0; index < byteLength; index += 97)
            equal(inflated[index], bulkByte(index), `byte ${index}`);
        }
        if (byteLength === 1) continue;
        const beyond = await failureOf(
          Promise.resolve().then(() => zstd.decompress(compressed, byteLength - 1)),
        );
        check(beyond instanceof RangeError, String(beyond));
      }
    },
  },
  {
    name: 'inflating stops at the limit with a RangeError, and broken input with another error',
    async run(platform) {
      const compressed = await platform.gzip(new Uint8Array(60_000_000));
      const beyond = await failureOf(inflating(platform, compressed, 1_000_000));
      check(beyond instanceof RangeError, String(beyond));
      const small = await platform.gzip(bulk(0, 1_000));
      const changed = small.slice();
      changed[small.length - 6] = (changed[small.length - 6] ?? 0) ^ 1;
      for (const broken of [new Uint8Array(0), bulk(0, 50), small.subarray(0, 30), changed]) {
        const failure = await failureOf(inflating(platform, broken, 1_000_000));
        check(!(failure instanceof RangeError), String(failure));
      }
    },
  },
];

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}

/** A failure is a rejection here, also where the platform inflates at once. */
async function inflating(platform: Platform, bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  return platform.gunzip(bytes, maxBytes);
}

/** All of them. */
export const platformCases: readonly ContractCase[] = [...serving, ...timing, ...compressing];

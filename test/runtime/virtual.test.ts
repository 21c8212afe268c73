/** The virtual world: its network against the rules of the port, its clock, and that a seed decides everything. */
import * as fc from 'fast-check';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Address, Transport } from '../../src/platform.ts';
import { virtualWorld, type VirtualWorld, type VirtualWorldOptions } from '../../src/runtime/virtual.ts';

const broker: Address = { host: 'broker', port: 9092 };
const key = 'broker:9092';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : new TextDecoder().decode(bytes);

const failureOf = (
  promise: Promise<unknown> | void,
): Promise<{ code?: string; message?: string } | undefined> =>
  Promise.resolve(promise).then(
    () => undefined,
    (error: { code?: string }) => error,
  );

const sleep = (world: VirtualWorld, ms: number): Promise<void> =>
  new Promise((resolve) => void world.platform.setTimer(ms, resolve));

/** Answers every read with the same bytes, and keeps what ended the connection. */
async function echo(transport: Transport, endings: unknown[] = []): Promise<void> {
  try {
    for (let chunk = await transport.read(); chunk !== null; chunk = await transport.read()) {
      await transport.write([chunk.slice()]);
    }
    endings.push(null);
  } catch (error) {
    endings.push(error);
  }
  transport.close();
}

interface Scene {
  readonly world: VirtualWorld;
  readonly client: Transport;
  readonly server: Transport;
}

/** A world with one connection, whose server side is left to the test. */
function connected<T>(options: VirtualWorldOptions, test: (scene: Scene) => Promise<T>): Promise<T> {
  const world = virtualWorld(options);
  return world.run(async () => {
    const accepted = new Promise<Transport>((resolve) => void listen(world, resolve));
    const client = await dial(world);
    return test({ world, client, server: await accepted });
  });
}

const listen = (world: VirtualWorld, accept: (transport: Transport) => void, address = broker) => {
  if (world.platform.listen === undefined) throw new Error('a virtual world listens');
  return world.platform.listen(address, accept);
};

const dial = (world: VirtualWorld, connectTimeoutMs = 1_000): Promise<Transport> =>
  world.platform.dial(broker, { connectTimeoutMs });

/** Reads so many bytes as text. */
async function readText(transport: Transport, byteLength: number): Promise<string> {
  let text = '';
  while (text.length < byteLength) text += textOf(await transport.read()) ?? '(end)';
  return text;
}

describe('virtual time', () => {
  test('jumps to the next event: ten minutes take no time, and the clocks show them', async () => {
    const world = virtualWorld({ startMs: 5_000 });
    const started = performance.now();
    await world.run(() => sleep(world, 600_000));
    expect(world.platform.monotonicNow()).toBe(600_000);
    expect([world.now(), world.platform.now()]).toEqual([605_000, 605_000]);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('timers fire by time and then by call; cancel is final; defer keeps to its turn', async () => {
    const world = virtualWorld();
    const order: string[] = [];
    const { platform } = world;
    await world.run(async () => {
      platform.setTimer(2, () => order.push('third'));
      platform.setTimer(1, () => order.push('first'));
      platform.setTimer(1, () => order.push('second'));
      platform.setTimer(1, () => order.push('never')).cancel();
      platform.defer(() => order.push('deferred'));
      await Promise.resolve();
      order.push('microtask');
      await sleep(world, 10);
    });
    expect(order).toEqual(['microtask', 'deferred', 'first', 'second', 'third']);
  });

  test('everything that follows from an event is done before the next event', async () => {
    const world = virtualWorld();
    const order: number[] = [];
    await world.run(async () => {
      world.platform.setTimer(1, () => {
        void (async () => {
          for (let hop = 0; hop < 100; hop++) await Promise.resolve();
          order.push(1);
        })();
      });
      world.platform.setTimer(1, () => order.push(2));
      await sleep(world, 2);
    });
    expect(order).toEqual([1, 2]);
  });

  test('a thousand timers in random order fire in order, whatever is cancelled', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ delayMs: fc.nat(50), isCancelled: fc.boolean() }), { maxLength: 100 }),
        async (timers) => {
          const world = virtualWorld();
          const fired: number[] = [];
          for (const [index, { delayMs, isCancelled }] of timers.entries()) {
            const timer = world.platform.setTimer(delayMs, () => fired.push(index));
            if (isCancelled) timer.cancel();
          }
          await world.advance(50);
          const expected = [...timers.entries()]
            .filter(([, { isCancelled }]) => !isCancelled)
            .sort(([a, first], [b, second]) => first.delayMs - second.delayMs || a - b);
          expect(fired).toEqual(expected.map(([index]) => index));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('advance runs what is due and no more, and inside run it waits', async () => {
    const world = virtualWorld();
    const fired: number[] = [];
    for (const ms of [5, 10, 15]) world.platform.setTimer(ms, () => fired.push(ms));
    await world.advance(10);
    expect([fired, world.platform.monotonicNow()]).toEqual([[5, 10], 10]);
    await world.run(() => world.advance(5));
    expect(fired).toEqual([5, 10, 15]);
  });

  test('work that waits for nothing is a deadlock, and says so', async () => {
    const world = virtualWorld();
    await expect(world.run(() => new Promise(() => undefined))).rejects.toThrow(/deadlock.*0 connections/);
  });

  test('work that never ends meets the limit', async () => {
    const world = virtualWorld();
    const forever = (): void => void world.platform.setTimer(1_000, forever);
    forever();
    await expect(world.run(() => new Promise(() => undefined), { limitMs: 10_000 })).rejects.toThrow(
      /10000 ms/,
    );
  });

  test('what a callback throws, and what the work rejects with, ends the run', async () => {
    const world = virtualWorld();
    world.platform.setTimer(1, () => {
      throw new Error('from a timer');
    });
    await expect(world.run(() => sleep(world, 10))).rejects.toThrow('from a timer');
    await expect(world.run(() => Promise.reject(new Error('from the work')))).rejects.toThrow(
      'from the work',
    );
  });

  test('one run at a time', async () => {
    const world = virtualWorld();
    await expect(world.run(() => world.run(() => Promise.resolve()))).rejects.toThrow('running already');
  });
});

describe('the virtual network', () => {
  test('a request and its answer take the latency both ways, a connection the same', async () => {
    await connected({}, async ({ world, client, server }) => {
      void echo(server);
      expect(world.platform.monotonicNow()).toBeCloseTo(0.4);
      await client.write([bytesOf('ab'), new Uint8Array(0), bytesOf('c')]);
      expect(textOf(await client.read())).toBe('abc');
      expect(world.platform.monotonicNow()).toBeCloseTo(0.8);
      world.network.setLatencyMs(50);
      await client.write([bytesOf('d')]);
      expect(textOf(await client.read())).toBe('d');
      expect(world.platform.monotonicNow()).toBeCloseTo(100.8);
    });
  });

  test('nothing overtakes when the latency falls', async () => {
    await connected({}, async ({ world, client, server }) => {
      world.network.setLatencyMs(100);
      await client.write([bytesOf('slow ')]);
      world.network.setLatencyMs(1);
      await client.write([bytesOf('fast')]);
      client.close();
      expect(await readText(server, 9)).toBe('slow fast');
      expect(await server.read()).toBeNull();
    });
  });

  test('any cutting of the stream carries the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.constantFrom('whole', 'random', 'one-byte'),
        fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 30 }), { minLength: 1, maxLength: 10 }),
        (seed, chunking, words) =>
          connected({ seed, chunking: chunking as 'whole' }, async ({ client, server }) => {
            for (const word of words) await client.write([bytesOf(word)]);
            client.close();
            let text = '';
            for (let chunk = await server.read(); chunk !== null; chunk = await server.read()) {
              if (chunking === 'one-byte') expect(chunk).toHaveLength(1);
              text += textOf(chunk);
            }
            expect(text).toBe(words.join(''));
          }),
      ),
      { numRuns: 60 },
    );
  });

  test('a view is garbage after the next read, and parts that change too early arrive changed', async () => {
    await connected({}, async ({ client, server }) => {
      const part = bytesOf('first');
      await client.write([part]);
      part.fill(46);
      await client.write([bytesOf('second')]);
      const view = await server.read();
      expect(textOf(view)).toBe('.....');
      await server.read();
      expect([...(view ?? [])]).toEqual([0xdd, 0xdd, 0xdd, 0xdd, 0xdd]);
    });
  });

  test('close ends both ways and the outstanding read; the bytes before it arrive', async () => {
    await connected({}, async ({ world, client, server }) => {
      const read = client.read();
      await client.write([bytesOf('bye')]);
      client.close();
      client.close();
      expect(await read).toBeNull();
      expect(textOf(await server.read())).toBe('bye');
      expect([await server.read(), await server.read()]).toEqual([null, null]);
      expect(world.network.openConnections()).toBe(1);
      expect(await failureOf(client.write([bytesOf('x')]))).toMatchObject({ code: 'EPIPE' });
      server.close();
      expect(world.network.openConnections()).toBe(0);
    });
  });

  test('abort fails the own side with its reason and resets the other', async () => {
    await connected({}, async ({ world, client, server }) => {
      const reason = new Error('enough');
      const [mine, theirs] = [failureOf(client.read()), failureOf(server.read())];
      client.abort(reason);
      client.abort();
      client.close();
      expect(await mine).toBe(reason);
      expect(await theirs).toMatchObject({ code: 'ECONNRESET' });
      expect(await failureOf(server.write([bytesOf('x')]))).toMatchObject({ code: 'ECONNRESET' });
      expect(world.network.openConnections()).toBe(0);
    });
  });

  test('writing to a side that has closed is answered by a reset', async () => {
    await connected({}, async ({ world, client, server }) => {
      server.close();
      expect(await client.read()).toBeNull();
      await client.write([bytesOf('into the void')]);
      await sleep(world, 1);
      expect(await failureOf(client.write([bytesOf('again')]))).toMatchObject({ code: 'ECONNRESET' });
    });
  });

  test('a second read at a time is refused', async () => {
    await connected({}, async ({ client }) => {
      const first = client.read();
      expect(await failureOf(client.read())).toMatchObject({ message: 'a read is outstanding' });
      client.close();
      expect(await first).toBeNull();
    });
  });

  test('write waits for a reader that is a megabyte behind, and fails with the connection', async () => {
    await connected({}, async ({ world, client, server }) => {
      expect(client.write([new Uint8Array(1_000_000)])).toBeUndefined();
      let isTaken = false;
      const waiting = Promise.resolve(client.write([new Uint8Array(1_000_000)])).then(() => (isTaken = true));
      await sleep(world, 1_000);
      expect(isTaken).toBe(false);
      await server.read();
      await waiting;
      await server.read();
      const failing = failureOf(client.write([new Uint8Array(2_000_000)]));
      world.network.cut(key);
      expect(await failing).toMatchObject({ code: 'ECONNRESET' });
    });
  });

  test('dialling: refused without a listener, when blocked, and after the listener closed', async () => {
    const world = virtualWorld();
    await world.run(async () => {
      expect(await failureOf(dial(world))).toMatchObject({ code: 'ECONNREFUSED' });
      const listener = await listen(world, (transport) => void echo(transport));
      expect(await failureOf(listen(world, () => undefined))).toMatchObject({ code: 'EADDRINUSE' });
      world.network.block(key);
      expect(await failureOf(dial(world))).toMatchObject({ code: 'ECONNREFUSED' });
      world.network.unblock(key);
      (await dial(world)).close();
      await listener.close();
      expect(await failureOf(dial(world))).toMatchObject({ code: 'ECONNREFUSED' });
      await sleep(world, 1);
      expect(world.network.openConnections()).toBe(0);
    });
  });

  test('dialling: the deadline and the signal end an attempt, and the server hears of it', async () => {
    const world = virtualWorld();
    const endings: { code?: string }[] = [];
    await world.run(async () => {
      await listen(world, (transport) => void echo(transport, endings));
      world.network.setLatencyMs(800);
      expect(await failureOf(dial(world))).toMatchObject({ code: 'ETIMEDOUT' });
      expect(world.platform.monotonicNow()).toBe(1_000);
      const reason = new Error('changed my mind');
      const controller = new AbortController();
      world.platform.setTimer(900, () => controller.abort(reason));
      const attempt = { connectTimeoutMs: 60_000, signal: controller.signal };
      expect(await failureOf(world.platform.dial(broker, attempt))).toBe(reason);
      expect(await failureOf(world.platform.dial(broker, attempt))).toBe(reason);
      await sleep(world, 10_000);
      expect(endings.map((ending) => ending.code)).toEqual(['ECONNRESET', 'ECONNRESET']);
      expect(world.network.openConnections()).toBe(0);
    });
  });

  test('port 0 finds free ports, names resolve to themselves, TLS is refused by name', async () => {
    const world = virtualWorld();
    await world.run(async () => {
      const listeners = [0, 0, 0].map((port) => listen(world, () => undefined, { host: 'broker', port }));
      const ports = (await Promise.all(listeners)).map(({ address }) => address.port);
      expect(new Set(ports).size).toBe(3);
      expect(await world.platform.lookup?.('broker')).toEqual(['broker']);
      expect(await failureOf(world.platform.dial(broker, { connectTimeoutMs: 1, tls: {} }))).toMatchObject({
        code: 'ENOTSUP',
      });
    });
  });

  test('cut resets every connection to an address and no other', async () => {
    const world = virtualWorld();
    await world.run(async () => {
      const other = { host: 'other', port: 9092 };
      await listen(world, (transport) => void echo(transport));
      await listen(world, (transport) => void echo(transport), other);
      const cut = [await dial(world), await dial(world)];
      const spared = await world.platform.dial(other, { connectTimeoutMs: 1_000 });
      world.network.cut(key);
      for (const transport of cut)
        expect(await failureOf(transport.read())).toMatchObject({ code: 'ECONNRESET' });
      await spared.write([bytesOf('alive')]);
      expect(textOf(await spared.read())).toBe('alive');
      spared.close();
      await sleep(world, 1);
      expect(world.network.openConnections()).toBe(0);
    });
  });

  test('a frozen address takes connections and bytes and delivers nothing until it thaws, then in order', async () => {
    await connected({}, async ({ world, client, server }) => {
      void echo(server);
      world.network.freeze(key);
      const second = await dial(world);
      await client.write([bytesOf('one ')]);
      await client.write([bytesOf('two')]);
      await second.write([bytesOf('other')]);
      let isAnswered = false;
      const answer = readText(client, 7).then((text) => {
        isAnswered = true;
        return text;
      });
      await sleep(world, 60_000);
      expect(isAnswered).toBe(false);
      world.network.thaw(key);
      expect(await answer).toBe('one two');
      world.network.freeze(key);
      world.network.cut(key);
      expect(await failureOf(client.read())).toMatchObject({ code: 'ECONNRESET' });
    });
  });
});

describe('a virtual world', () => {
  /** A run with random pauses and random chunks, as a list of what happened when. */
  async function history(seed: number): Promise<string[]> {
    const world = virtualWorld({ seed, chunking: 'random' });
    const seen: string[] = [];
    const talk = async (name: string): Promise<void> => {
      const transport = await dial(world);
      for (let round = 0; round < 20; round++) {
        await sleep(world, world.platform.random() * 3);
        await transport.write([bytesOf(`${name}-${round}`)]);
        const answer = await transport.read();
        seen.push(`${world.now()} ${name} ${textOf(answer)}`);
      }
      transport.close();
    };
    await world.run(async () => {
      await listen(world, (transport) => void echo(transport));
      await Promise.all(['a', 'b', 'c'].map(talk));
    });
    return seen;
  }

  test('repeats itself exactly with the same seed, and differs with another', async () => {
    const first = await history(7);
    expect(await history(7)).toEqual(first);
    expect(await history(8)).not.toEqual(first);
  });

  test('counts what holds the process open', () => {
    const world = virtualWorld();
    const [release, other] = [world.platform.holdOpen(), world.platform.holdOpen()];
    expect(world.openHolds()).toBe(2);
    release();
    release();
    expect(world.openHolds()).toBe(1);
    other();
    expect(world.openHolds()).toBe(0);
  });

  test('compresses with what it was given, and says so when that is nothing', () => {
    const bytes = bytesOf('hello');
    const world = virtualWorld({ gzip: (input) => gzipSync(input), gunzip: (input) => gunzipSync(input) });
    expect(textOf(world.platform.gunzip(world.platform.gzip(bytes) as Uint8Array, 10) as Uint8Array)).toBe(
      'hello',
    );
    expect(() => virtualWorld().platform.gzip(bytes)).toThrow(/give virtualWorld\(\) synchronous/);
  });

  test('does thousands of requests a second', async () => {
    const started = performance.now();
    await connected({}, async ({ client, server }) => {
      void echo(server);
      const request = new Uint8Array(100);
      for (let round = 0; round < 3_000; round++) {
        await client.write([request]);
        await client.read();
      }
    });
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});

/** What a Writer refuses: at once, typed, as a whole, and without a word about the content (W1, P7). */
import { describe, expect, it } from 'vitest';
import { KafkaError, UsageError } from '../../../src/errors.ts';
import { metadataApi } from '../../../src/protocol/api/03-metadata.ts';
import { produceApi } from '../../../src/protocol/api/00-produce.ts';
import { withLevel, zstdCodec, type Codec } from '../../../src/compression/index.ts';
import { WriteErrors } from '../../../src/client/writer/errors.ts';
import type { OutgoingMessage } from '../../../src/client/writer/message.ts';
import { Writer } from '../../../src/client/writer/writer.ts';
import { failureOf, numbered, play, type Scene } from './scene.ts';

const secret = 'hunter2';

async function refusalOf(scene: Scene, messages: unknown, settings = {}): Promise<WriteErrors> {
  const error = await failureOf(scene.writer(settings).writeMessages(messages as OutgoingMessage[]));
  expect(error).toBeInstanceOf(WriteErrors);
  return error as WriteErrors;
}

describe('a message at fault', () => {
  const faults: [string, unknown, string, string][] = [
    ['is no object', secret, 'USAGE', 'a message must be an object; got string'],
    ['is null', null, 'USAGE', 'a message must be an object; got null'],
    [
      'has a number for a key',
      { key: 7, value: secret },
      'USAGE',
      'key must be a string, bytes or null; got number',
    ],
    [
      'has an object for a value',
      { value: { secret } },
      'USAGE',
      'value must be a string, bytes or null (a tombstone); got Object',
    ],
    [
      'has no value',
      { key: secret },
      'USAGE',
      'value must be a string, bytes or null (a tombstone); got undefined',
    ],
    ['has two topics', { topic: 'u', value: secret }, 'USAGE', 'two topics'],
    [
      'has a negative partition',
      { partition: -1, value: secret },
      'USAGE',
      'partition must be an integer of at least 0; got -1',
    ],
    ['has half a partition', { partition: 0.5, value: secret }, 'USAGE', 'partition must be an integer'],
    [
      'has a date for a timestamp',
      { timestamp: new Date(), value: secret },
      'USAGE',
      'timestamp must be milliseconds from 0 to 2^53-1; got Date',
    ],
    ['has a timestamp beyond 2^53-1', { timestamp: 2 ** 53, value: secret }, 'USAGE', 'timestamp must be'],
    [
      'has a header without a name',
      { value: secret, headers: { '': secret } },
      'USAGE',
      'a header key must be a non-empty string',
    ],
    ['has a header that is none', { value: secret, headers: [null] }, 'USAGE', 'a header key must be'],
    [
      'has a number in a header',
      { value: secret, headers: [{ key: 'h', value: 1 }] },
      'USAGE',
      'a header value must be a string, bytes or null; got number',
    ],
    ['has text for headers', { value: secret, headers: secret }, 'USAGE', 'headers must be a list'],
    ['has a Map for headers', { value: secret, headers: new Map() }, 'USAGE', 'headers must be a list'],
    [
      'is too large',
      { value: secret.repeat(200) },
      'MESSAGE_TOO_LARGE',
      'Message 1 takes a batch of 1486 bytes; batchBytes allows 1000',
    ],
    [
      'goes to a partition that is not there',
      { partition: 6, value: secret },
      'USAGE',
      'Message 1: it asks for partition 6; t has 0 to 1',
    ],
  ];

  it.each(faults)('that %s refuses the whole call', (_what, message, code, text) =>
    play({ partitions: 2 }, async (scene) => {
      const good = { value: 'good' };
      const error = await refusalOf(scene, [good, message, good], { batchBytes: 1000 });
      expect(error.errors).toHaveLength(3);
      expect(error.errors[1]).toMatchObject({ code, stored: 'no' });
      expect(error.errors[1]?.message).toContain(text);
      expect(error.errors.every((each) => each?.stored === 'no')).toBe(true);
      expect(error).toMatchObject({ code: 'WRITE', stored: 'no', retriable: false });
      expect(error.message).not.toContain(secret);
      expect(JSON.stringify(error.errors) + String(error.errors)).not.toContain(secret);
      expect(error.receipt.at(0)).toEqual({
        topic: 't',
        partition: -1,
        offset: undefined,
        timestamp: undefined,
      });
      expect(await scene.allValues()).toEqual([]);
      expect(scene.cluster.faults.requests(produceApi)).toEqual([]);
    }),
  );

  it('is named first, whichever others there are', () =>
    play({}, async (scene) => {
      const error = await refusalOf(scene, [
        { value: 'a' },
        { value: 1 },
        { value: 'b' },
        { key: 2, value: 'c' },
      ]);
      expect(error.message).toContain(
        '4 of 4 messages were not written; the first: Message 1: value must be',
      );
      expect(error.errors[3]?.message).toContain('Message 3: key must be');
      expect(error.cause).toBe(error.errors[1]);
    }));

  it('needs a topic where the Writer has none', () =>
    play({}, async (scene) => {
      const error = await refusalOf(scene, { value: 'v' }, { topic: undefined });
      expect(error.errors[0]).toMatchObject({ code: 'USAGE' });
      expect(error.message).toContain('no topic: set it on the message or on the Writer');
    }));

  it('counts text as the UTF-8 it becomes', () =>
    play({}, async (scene) => {
      const one = scene.writer({ batchBytes: 1000 });
      await one.writeMessages({ value: 'x'.repeat(900) });
      const error = await failureOf(one.writeMessages({ value: 'é'.repeat(500) }));
      expect((error as WriteErrors).errors[0]).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    }));

  it('is thrown by enqueue', () =>
    play({}, async ({ writer }) => {
      const one = writer();
      expect(() => one.enqueue({ value: 3 as never })).toThrow(UsageError);
      await one.writeMessages({ value: 'loaded' });
      expect(() => one.enqueue({ partition: 5, value: 'v' })).toThrow(
        'it asks for partition 5; t has 0 to 0',
      );
      expect(one.stats().pendingMessages).toBe(0);
    }));
});

describe('a message that changes while its call waits', () => {
  it('fails the rest of the call, and nothing else', () =>
    play({}, async (scene) => {
      const one = scene.writer();
      const messages: { value: unknown }[] = [{ value: 'a' }, { value: 'b' }, { value: 'c' }];
      const call = one.writeMessages(messages as OutgoingMessage[]);
      const behind = one.writeMessages({ value: 'd' });
      (messages[1] as { value: unknown }).value = 7;
      const failure = (await failureOf(call)) as WriteErrors;
      await behind;
      expect(failure.errors.map((error) => error?.stored ?? 'written')).toEqual(['written', 'no', 'no']);
      expect(await scene.values()).toEqual(['a', 'd']);
      expect(one.stats()).toMatchObject({ bufferedBytes: 0, pendingMessages: 0 });
    }));

  it('does not harm when the array is used again', () =>
    play({}, async (scene) => {
      const messages = numbered(3);
      const call = scene.writer().writeMessages(messages);
      messages.length = 0;
      await call;
      expect(await scene.values()).toEqual(['m0', 'm1', 'm2']);
    }));

  it('keeps the time at which each was enqueued', () =>
    play({}, async ({ world, cluster, writer }) => {
      const one = writer();
      cluster.faults.inject({ api: metadataApi, delayMs: 300 });
      one.enqueue({ value: 'a' });
      await world.advance(100);
      one.enqueue({ value: 'b' });
      await one.flush();
      const [a, b] = await cluster.records('t', 0);
      expect(Number(b?.timestamp) - Number(a?.timestamp)).toBe(100);
    }));
});

describe('a balancer', () => {
  it.each([-1, 2, 0.5, Number.NaN, undefined, 'length'])('that returns %s refuses the call', (choice) =>
    play({ partitions: 2 }, async (scene) => {
      let calls = 0;
      const balancer = (): number => (calls++ === 1 ? (choice as number) : 0);
      const error = await refusalOf(scene, numbered(3), { balancer });
      expect(error.errors.map((each) => each?.stored)).toEqual(['no', 'no', 'no']);
      expect(error.errors[1]).toBeInstanceOf(UsageError);
      expect(error.message).toContain(
        `Message 1: the balancer chose partition ${String(choice)}; t has 0 to 1`,
      );
      expect(await scene.allValues()).toEqual([]);
    }),
  );

  it('that throws refuses the call', () =>
    play({}, async (scene) => {
      const error = await refusalOf(scene, numbered(2), {
        balancer: () => {
          throw new TypeError('mine');
        },
      });
      expect(error.errors[0]).toMatchObject({ code: 'USAGE', stored: 'no' });
      expect(error.errors[0]?.cause).toBeInstanceOf(TypeError);
    }));
});

describe('an option', () => {
  const refused: [object, string][] = [
    [{ batchSize: 0 }, 'Option batchSize must be an integer from 1 to 1000000; got 0'],
    [{ batchBytes: '1' }, 'Option batchBytes must be'],
    [{ batchTimeoutMs: -1 }, 'Option batchTimeoutMs must be'],
    [{ maxBufferedBytes: 1 }, 'Option maxBufferedBytes must be'],
    [{ deliveryTimeoutMs: 0 }, 'Option deliveryTimeoutMs must be'],
    [
      { deliveryTimeoutMs: 10, batchTimeoutMs: 10 },
      'deliveryTimeoutMs (10) must be above batchTimeoutMs (10)',
    ],
    [{ requiredAcks: -1 }, "Option requiredAcks must be 0, 1 or 'all'; got -1"],
    [{ requiredAcks: 1, idempotent: true }, "Option idempotent: true needs requiredAcks: 'all'; got 1"],
    [{ idempotent: 1 }, 'Option idempotent must be true or false'],
    [{ compression: 'gzip' }, 'Option compression must be a Codec, such as gzip'],
    [{ balancer: {} }, 'Option balancer must be a function or have a method partition'],
    [{ completion: 1 }, 'Option completion must be a function'],
    [{ topic: '' }, 'Option topic must be a non-empty string'],
    [{ transactionalID: 'x' }, 'Writer has no option transactionalID'],
    [{ whenFull: 'block' }, "Option whenFull must be 'wait' or 'fail'; got a string of 5 characters"],
  ];

  it.each(refused)('%j is refused by name', (settings, text) => {
    const make = (): Writer => new Writer({ brokers: 'localhost', ...settings });
    expect(make).toThrow(UsageError);
    expect(make).toThrow(text);
  });

  it('compression with zstd is refused where the runtime cannot write it, by the names of those that can (W11)', () => {
    const make = (compression: Codec): Writer => new Writer({ brokers: 'localhost', compression });
    for (const codec of [zstdCodec({}), withLevel(zstdCodec({}), 9)]) {
      expect(() => make(codec)).toThrow(UsageError);
      expect(() => make(codec)).toThrow(
        'Option compression: zstd: this runtime cannot write it; Node 22.15 and later, Bun and Deno can',
      );
    }
    const compress = (bytes: Uint8Array): Uint8Array => bytes;
    expect(() =>
      make(zstdCodec({ zstd: { compress, decompress: compress, decompressSync: compress } })),
    ).not.toThrow();
  });

  it('timeoutMs of close is checked before anything is closed', () =>
    play({}, async ({ writer }) => {
      const one = writer();
      await expect(one.close({ timeoutMs: -1 })).rejects.toThrow('Option timeoutMs must be');
      await one.writeMessages(numbered(1));
    }));
});

describe('an unknown topic', () => {
  it('fails at once and by its name, for every call that waits for it', () =>
    play({ topics: [{ name: 't' }] }, async ({ world, writer }) => {
      const one = writer({ topic: undefined });
      const startedMs = world.now();
      const failures = await Promise.all(
        Array.from({ length: 100 }, () => failureOf(one.writeMessages({ topic: 'nope', value: 'v' }))),
      );
      expect(world.now() - startedMs).toBeLessThan(1500);
      for (const failure of failures as WriteErrors[]) {
        expect(failure.errors[0]).toMatchObject({
          code: 'UNKNOWN_TOPIC',
          stored: 'no',
          topic: 'nope',
          errorCode: 3,
        });
      }
      await one.writeMessages({ topic: 't', value: 'v' });
    }));

  it('does not fail the call of a topic that is just being created', () =>
    play({ topics: [] }, async ({ world, cluster, writer, values }) => {
      const call = writer().writeMessages({ value: 'v' });
      await world.advance(150);
      cluster.createTopic({ name: 't', partitions: 1 });
      await call;
      expect(await values()).toEqual(['v']);
    }));

  it('fails the messages that were enqueued, by way of completion and statistics', () =>
    play({ topics: [] }, async ({ writer }) => {
      const outcomes: unknown[] = [];
      const one = writer({ completion: (outcome) => outcomes.push(outcome) });
      one.enqueue({ value: 'a', context: 1 });
      one.enqueue({ value: 'b', context: 2 });
      await one.flush();
      expect(outcomes).toMatchObject([
        {
          topic: 't',
          partition: -1,
          messages: [{ context: 1 }, { context: 2 }],
          error: { code: 'UNKNOWN_TOPIC' },
        },
      ]);
      expect(one.stats()).toMatchObject({ bufferedBytes: 0, pendingMessages: 0, window: { errors: 2 } });
    }));

  it('with a name that cannot be is refused without doubt', () =>
    play({}, async ({ world, writer }) => {
      const startedMs = world.now();
      const failure = await failureOf(writer({ topic: 'no spaces' }).writeMessages(numbered(1)));
      expect((failure as WriteErrors).errors[0]).toMatchObject({
        code: 'BROKER',
        errorName: 'INVALID_TOPIC_EXCEPTION',
      });
      expect(world.now() - startedMs).toBeLessThan(100);
    }));
});

describe('a closed Writer', () => {
  it('refuses every call', () =>
    play({}, async ({ writer }) => {
      const one = writer();
      await one.close();
      const closed = { code: 'CLOSED', message: 'The writer is closed' };
      await expect(one.writeMessages(numbered(1))).rejects.toMatchObject({ ...closed, stored: 'no' });
      await expect(one.flush()).rejects.toMatchObject(closed);
      expect(() => one.enqueue({ value: 'v' })).toThrow('The writer is closed');
      await one.close();
      expect(one.stats().total.writes).toBe(0);
    }));
});

describe('WriteErrors', () => {
  it('is an AggregateError and, by the brand, a KafkaError', () =>
    play({}, async (scene) => {
      const error = await refusalOf(scene, [{ value: 1 }]);
      expect(error).toBeInstanceOf(AggregateError);
      expect(error).toBeInstanceOf(KafkaError);
      expect(error.name).toBe('WriteErrors');
      expect(new Error('other')).not.toBeInstanceOf(WriteErrors);
    }));
});

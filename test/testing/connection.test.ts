/** Versions, order, and hostile bytes: what one connection of the embedded broker takes and what ends it. */
import { array, assert, asyncProperty, constantFrom, nat, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  apiVersionsApi,
  encodeRequest,
  ErrorCodes,
  fetchApi,
  heartbeatApi,
  initProducerIdApi,
  metadataApi,
  produceApi,
} from '../../src/protocol/index.ts';
import { apis } from '../../src/protocol/api/registry.ts';
import { batchOf, inCluster, produce, type Scene } from './cluster-world.ts';
import type { RawClient } from './raw-client.ts';

const named = { clientSoftwareName: 'raw', clientSoftwareVersion: '1.0' };

describe('ApiVersions', () => {
  it('offers what a Kafka 4.4 broker offers of the APIs there are', () =>
    inCluster({}, async ({ connect }) => {
      const { apiKeys } = await (await connect()).call(apiVersionsApi, 4, named);
      expect(
        apiKeys.map(({ apiKey, minVersion, maxVersion }) => `${apiKey} ${minVersion}-${maxVersion}`),
      ).toEqual([
        '0 0-13',
        '1 4-18',
        '2 1-11',
        '3 0-13',
        '8 2-10',
        '9 1-10',
        '10 0-6',
        '11 0-9',
        '12 0-4',
        '13 0-5',
        '14 0-5',
        '15 0-6',
        '16 0-5',
        '18 0-5',
        '19 2-7',
        '20 1-6',
        '22 0-5',
        '24 0-5',
        '25 0-4',
        '26 0-5',
        '28 0-6',
        '65 0-0',
        '66 0-2',
      ]);
    }));

  it.each([0, 1, 2, 3, 4, 5])('is served in version %d', (version) =>
    inCluster({}, async ({ connect }) => {
      const answer = await (await connect()).call(apiVersionsApi, version, version >= 3 ? named : {});
      expect(answer.errorCode).toBe(0);
      const finalized = [
        { name: 'metadata.version', minVersionLevel: 33, maxVersionLevel: 33 },
        { name: 'transaction.version', minVersionLevel: 2, maxVersionLevel: 2 },
      ];
      expect(answer.finalizedFeatures).toEqual(version >= 3 ? finalized : []);
      const supported = answer.supportedFeatures.map(({ name }) => name);
      expect(supported.includes('transaction.version')).toBe(version >= 4);
    }),
  );

  it('tells the level of transactions that the cluster was started with', () =>
    inCluster({ transactionVersion: 1 }, async ({ connect }) => {
      const { finalizedFeatures } = await (await connect()).call(apiVersionsApi, 4, named);
      const level = finalizedFeatures.find(({ name }) => name === 'transaction.version');
      expect(level).toMatchObject({ minVersionLevel: 1, maxVersionLevel: 1 });
    }));

  it('answers a version it does not have in version 0, with error 35 and its own versions (KIP-511)', () =>
    inCluster({}, async ({ connect }) => {
      const client = await connect();
      // Key 18, version 6, correlation id 9, client id "c", and a body that nobody knows.
      await client.transport.write([
        new Uint8Array([0, 0, 0, 15, 0, 18, 0, 6, 0, 0, 0, 9, 0, 1, 99, 0, 1, 2, 3]),
      ]);
      const frame = await client.nextFrame();
      expect([...(frame ?? [])].slice(0, 4)).toEqual([0, 0, 0, 9]);
      const answer = apiVersionsApi.response.decode((frame ?? new Uint8Array(0)).subarray(4), 0, {
        strict: true,
      });
      expect(answer).toMatchObject({
        errorCode: ErrorCodes.UNSUPPORTED_VERSION,
        apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 5 }],
      });
      expect((await client.call(apiVersionsApi, 3, named)).errorCode).toBe(0);
    }));

  it('refuses software without a name, and clients that meant another cluster or broker (KIP-1242)', () =>
    inCluster({}, async ({ cluster, connect }) => {
      const client = await connect();
      const ask = async (version: number, more: object) =>
        (await client.call(apiVersionsApi, version, { ...named, ...more })).errorCode;
      expect(await ask(3, { clientSoftwareName: '' })).toBe(ErrorCodes.INVALID_REQUEST);
      expect(await ask(3, { clientSoftwareVersion: '-1' })).toBe(ErrorCodes.INVALID_REQUEST);
      expect(await ask(5, { clusterId: cluster.clusterId, nodeId: 1 })).toBe(0);
      expect(await ask(5, { clusterId: 'other', nodeId: 1 })).toBe(ErrorCodes.REBOOTSTRAP_REQUIRED);
      expect(await ask(5, { clusterId: null, nodeId: 2 })).toBe(ErrorCodes.REBOOTSTRAP_REQUIRED);
    }));

  it('offers less when the cluster is told to', () =>
    inCluster(
      {
        maxVersions: [
          [fetchApi, 11],
          [produceApi, 2],
          [apiVersionsApi, 2],
        ],
      },
      async ({ connect }) => {
        const client = await connect();
        const { apiKeys } = await client.call(apiVersionsApi, 2, {});
        const of = (key: number) => apiKeys.find(({ apiKey }) => apiKey === key);
        expect(of(1)).toMatchObject({ minVersion: 4, maxVersion: 11 });
        expect(of(0)).toBeUndefined();
        expect(of(18)).toMatchObject({ maxVersion: 2 });
        await client.send(fetchApi, 12, {});
        expect(await client.nextFrame()).toBeUndefined();
      },
      [expect.stringMatching(/API 1 version 12: served are 4 to 11/)],
    ));
});

describe('InitProducerId', () => {
  it('gives a new id with epoch 0 each time, also to who has one already', () =>
    inCluster({ brokers: 2 }, async ({ connect }) => {
      const [one, two] = [await connect(1), await connect(2)];
      const ask = { transactionalId: null, transactionTimeoutMs: 1 };
      expect(await one.call(initProducerIdApi, 0, ask)).toMatchObject({
        errorCode: 0,
        producerId: 0n,
        producerEpoch: 0,
      });
      expect(await two.call(initProducerIdApi, 5, ask)).toMatchObject({ producerId: 1n, producerEpoch: 0 });
      expect(
        await one.call(initProducerIdApi, 3, { ...ask, producerId: 0n, producerEpoch: 7 }),
      ).toMatchObject({ producerId: 2n });
      const half = await one.call(initProducerIdApi, 3, { ...ask, producerId: 0n });
      expect(half).toMatchObject({ errorCode: ErrorCodes.INVALID_REQUEST, producerId: -1n });
      const nameless = await one.call(initProducerIdApi, 3, { ...ask, transactionalId: '' });
      expect(nameless.errorCode).toBe(ErrorCodes.INVALID_REQUEST);
    }));
});

describe('a connection', () => {
  it('answers pipelined requests in their order', () =>
    inCluster({ topics: [{ name: 'orders' }] }, async ({ connect }) => {
      const client = await connect();
      const receivers = [];
      for (let i = 0; i < 20; i++)
        receivers.push(await client.send(metadataApi, i % 10, { topics: [{ name: 'orders' }] }));
      for (const receive of receivers) expect((await receive()).topics[0]?.name).toBe('orders');
    }));

  const header = [0, 0, 0, 1, 255, 255];
  it.each([
    ['a length of 0', [0, 0, 0, 0], /frame of 0 bytes/],
    ['a negative length', [255, 255, 255, 251], /frame of -5 bytes/],
    ['a length over the limit', [0, 0, 16, 0], /frame of 4096 bytes, must be at most 2048/],
    ['an HTTP request', [...new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')], /frame of 1195725856 bytes/],
    ['a frame that ends in the header', [0, 0, 0, 5, 0, 3, 0, 9, 0], /a request: /],
    [
      'an API that there is not',
      [0, 0, 0, 10, 0, 99, 0, 0, ...header],
      /API 99 version 0: there is no such API here/,
    ],
    [
      'an API that there is not yet',
      [0, 0, 0, 10, 0, 29, 0, 0, ...header],
      /API 29 version 0: there is no such API/,
    ],
    [
      'a version that is too new',
      [0, 0, 0, 10, 0, 3, 0, 99, ...header],
      /API 3 version 99: served are 0 to 13/,
    ],
    [
      'Produce 2, which is offered and not served',
      [0, 0, 0, 10, 0, 0, 0, 2, ...header],
      /API 0 version 2: served are 3 to 13/,
    ],
    ['a negative version', [0, 0, 0, 10, 0, 3, 255, 255, ...header], /served are 0 to 13/],
    ['a body that is cut', [0, 0, 0, 13, 0, 3, 0, 1, ...header, 0, 0, 0], /API 3 version 1: /],
    ['an array of 2^31-1', [0, 0, 0, 14, 0, 3, 0, 1, ...header, 127, 255, 255, 255], /API 3 version 1: /],
  ])('ends at %s, and the broker lives on', (_, bytes, problem) =>
    inCluster(
      { topics: [{ name: 'orders' }], maxFrameBytes: 2_048 },
      async ({ connect }) => {
        const [hostile, other] = [await connect(), await connect()];
        await hostile.transport.write([new Uint8Array(bytes)]);
        expect(await hostile.nextFrame()).toBeUndefined();
        expect((await produce(other, 'orders', batchOf(['a']))).errorCode).toBe(0);
      },
      [expect.stringMatching(problem)],
    ),
  );

  it('answers what came whole before a broken frame', () =>
    inCluster(
      {},
      async ({ connect }) => {
        const client = await connect();
        const request = encodeRequest(heartbeatApi, 0, 77, null, {
          groupId: 'g',
          generationId: 1,
          memberId: 'm',
        });
        await client.transport.write([...request, new Uint8Array([0, 0, 0, 1])]);
        expect([...((await client.nextFrame()) ?? [])].slice(0, 4)).toEqual([0, 0, 0, 77]);
        expect(await client.nextFrame()).toBeUndefined();
      },
      [expect.stringMatching(/frame of 1 bytes/)],
    ));

  it('survives any mutation of any request in any version', async () => {
    await assert(
      asyncProperty(
        constantFrom(
          ...apis.flatMap((api) =>
            versionsOf(api.request.versions).map((version) => [api, version] as const),
          ),
        ),
        array(tuple(nat(), nat(255)), { maxLength: 6 }),
        ([api, version], edits) =>
          inCluster(
            { topics: [{ name: 'orders' }] },
            async (scene) => {
              const parts = encodeRequest(api, version, 1, 'fuzz', {});
              const bytes = new Uint8Array(parts.flatMap((part) => Array.from(part)));
              for (const [at, value] of edits) bytes[4 + (at % (bytes.length - 4))] = value;
              await sendAndForget(scene, bytes);
              const client = await scene.connect();
              expect(
                (await client.call(metadataApi, 0, { topics: [{ name: 'orders' }] })).topics[0]?.errorCode,
              ).toBe(0);
            },
            expect.anything(),
          ),
      ),
      { numRuns: 300 },
    );
  }, 60_000);
});

function versionsOf({ min, max }: { readonly min: number; readonly max: number }): number[] {
  return Array.from({ length: max - min + 1 }, (_, i) => min + i);
}

async function sendAndForget(scene: Scene, bytes: Uint8Array): Promise<void> {
  const client: RawClient = await scene.connect();
  await client.transport.write([bytes]);
  await scene.world.advance(50);
  client.close();
}

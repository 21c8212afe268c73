/** One connection against a scripted broker on the virtual network: handshake, order, deadlines, hostile bytes. */
import { describe, expect, test } from 'vitest';
import {
  Connection,
  correlationIdAfter,
  type ConnectionOptions,
} from '../../../src/client/connection/connection.ts';
import { softwareName, softwareVersion } from '../../../src/client/connection/software-version.ts';
import { ConnectionError, KafkaError, ProtocolError, TimeoutError } from '../../../src/errors.ts';
import { metadataApi } from '../../../src/protocol/api/03-metadata.ts';
import { findCoordinatorApi } from '../../../src/protocol/api/10-find-coordinator.ts';
import { apiVersionsApi } from '../../../src/protocol/api/18-api-versions.ts';
import { encodeResponse } from '../../../src/protocol/frame.ts';
import { virtualWorld, type VirtualWorld } from '../../../src/runtime/virtual.ts';
import packageJson from '../../../package.json' with { type: 'json' };
import {
  answer,
  apiVersionsAnswer,
  scriptedBroker,
  type Script,
  type ScriptedBroker,
} from '../../support/scripted-broker.ts';

const apis = [metadataApi, findCoordinatorApi];
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function options(world: VirtualWorld, changes: Partial<ConnectionOptions> = {}): ConnectionOptions {
  return {
    platform: world.platform,
    dial: world.platform.dial,
    clientId: 'test',
    tls: undefined,
    connectTimeoutMs: 5000,
    requestTimeoutMs: 3000,
    maxFrameBytes: 2 ** 20,
    lifetime: new AbortController().signal,
    label: '127.0.0.1:9092',
    ...changes,
  };
}

/** Opens a connection to a broker that runs the script behind a good handshake. */
async function connected(
  script: Script,
  body: (connection: Connection, broker: ScriptedBroker, world: VirtualWorld) => Promise<void>,
  changes: Partial<ConnectionOptions> = {},
): Promise<void> {
  const world = virtualWorld();
  await world.run(async () => {
    const broker = await scriptedBroker(world.platform, (request) =>
      request.apiKey === apiVersionsApi.key ? apiVersionsAnswer(request, apis) : script(request),
    );
    const connection = await Connection.open(broker.address, options(world, changes), '127.0.0.1');
    await body(connection, broker, world);
    connection.close();
    await broker.close();
  });
}

async function rejection(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('it should have been refused');
  return error;
}

describe('handshake', () => {
  test('the software names itself with the version of the package', async () => {
    expect(softwareVersion).toBe(packageJson.version);
    await connected(
      () => undefined,
      async (_, broker) => {
        const first = broker.requests[0];
        expect(first?.apiKey).toBe(18);
        expect(first?.clientId).toBe('test');
        const body = apiVersionsApi.request.decode(first?.body ?? bytes(), first?.apiVersion ?? -1);
        expect(body).toMatchObject({
          clientSoftwareName: softwareName,
          clientSoftwareVersion: softwareVersion,
        });
      },
    );
  });

  /** Asked versions, when every version above `max` is refused by `refuse`. */
  async function asked(max: number, refuse: (correlationId: number) => Uint8Array[]): Promise<number[]> {
    const world = virtualWorld();
    return world.run(async () => {
      const broker = await scriptedBroker(world.platform, (request) =>
        request.apiVersion > max ? refuse(request.correlationId) : apiVersionsAnswer(request, apis),
      );
      const connection = await Connection.open(broker.address, options(world), '127.0.0.1');
      connection.close();
      await broker.close();
      return broker.requests.map((request) => request.apiVersion);
    });
  }

  test('a refusal in the v0 form is followed by the version that it names', async () => {
    const newest = apiVersionsApi.request.versions.max;
    const refuse = (correlationId: number): Uint8Array[] =>
      encodeResponse(apiVersionsApi, 0, correlationId, {
        errorCode: 35,
        apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 2 }],
      });
    expect(await asked(2, refuse)).toEqual([newest, 2]);
  });

  test('a refusal whose body cannot be read is followed by v0', async () => {
    const newest = apiVersionsApi.request.versions.max;
    // Error 35 in a compact form, as librdkafka's mock broker answers.
    const refuse = (id: number): Uint8Array[] => [bytes(0, 0, 0, 7, 0, 0, id >> 8, id & 255, 0, 35, 1)];
    expect(await asked(0, refuse)).toEqual([newest, 0]);
  });

  test('a refused port is an error with code CONNECT that names the address', async () => {
    const world = virtualWorld();
    await world.run(async () => {
      const address = { host: '127.0.0.1', port: 1 };
      const error = await rejection(
        Connection.open(address, options(world, { label: 'kafka-7:9092' }), 'kafka-7'),
      );
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error).toMatchObject({
        code: 'CONNECT',
        stored: 'no',
        retriable: true,
        address: 'kafka-7:9092',
      });
      expect(error.message).toContain('kafka-7:9092');
    });
  });

  test('a peer that accepts and stays silent is given up after connectTimeoutMs', async () => {
    const world = virtualWorld();
    await world.run(async () => {
      const broker = await scriptedBroker(world.platform, () => undefined);
      const began = world.now();
      const error = await rejection(Connection.open(broker.address, options(world), 'x'));
      expect(error).toMatchObject({ code: 'CONNECT', stored: 'no' });
      expect(world.now() - began).toBeLessThan(5200);
      await broker.close();
    });
  });
});

describe('requests', () => {
  test('answers settle pipelined requests in order, whole or byte by byte', async () => {
    for (const chunking of ['whole', 'random', 'one-byte'] as const) {
      const world = virtualWorld({ chunking });
      await world.run(async () => {
        const broker = await scriptedBroker(world.platform, (request) =>
          request.apiKey === 18
            ? apiVersionsAnswer(request, apis)
            : answer(request, metadataApi, { clusterId: `c${request.correlationId}` }),
        );
        const connection = await Connection.open(broker.address, options(world), 'x');
        const answers = await Promise.all(
          Array.from({ length: 20 }, () => connection.request(metadataApi, {})),
        );
        expect(answers.map(({ clusterId }) => clusterId)).toEqual(
          Array.from({ length: 20 }, (_, index) => `c${index + 2}`),
        );
        expect(connection.inFlight).toBe(0);
        connection.close();
        await broker.close();
      });
    }
  });

  test('a deadline rejects its request with TIMEOUT and ends the connection for the others', async () => {
    await connected(
      () => undefined,
      async (connection) => {
        const slow = rejection(connection.request(metadataApi, {}, { timeoutMs: 100 }));
        const other = rejection(connection.request(metadataApi, {}, { timeoutMs: 2000 }));
        expect(await slow).toBeInstanceOf(TimeoutError);
        expect(await slow).toMatchObject({ code: 'TIMEOUT', limitMs: 100, stored: 'maybe' });
        expect(await other).toMatchObject({ code: 'DISCONNECTED', stored: 'maybe', retriable: true });
        expect(connection.ended).toBe(true);
        expect(await rejection(connection.request(metadataApi, {}))).toMatchObject({ stored: 'no' });
      },
    );
  });

  test('an abort stops the waiting with its reason and leaves the connection in order', async () => {
    const waiting: (() => void)[] = [];
    await connected(
      async (request) => {
        if (request.correlationId === 2) await new Promise<void>((resolve) => waiting.push(resolve));
        return answer(request, metadataApi, { clusterId: `c${request.correlationId}` });
      },
      async (connection, _, world) => {
        const controller = new AbortController();
        const aborted = rejection(connection.request(metadataApi, {}, { signal: controller.signal }));
        const next = connection.request(metadataApi, {});
        await world.advance(5);
        controller.abort(new Error('enough'));
        expect((await aborted).message).toBe('enough');
        waiting[0]?.();
        expect((await next).clusterId).toBe('c3');
        const late = rejection(connection.request(metadataApi, {}, { signal: controller.signal }));
        expect((await late).message).toBe('enough');
      },
    );
  });

  test('a body that cannot be encoded is refused before anything is written', async () => {
    await connected(
      (request) => answer(request, metadataApi, {}),
      async (connection, broker) => {
        const body = { topics: [{ name: 'x'.repeat(40_000) }] };
        expect(await rejection(connection.request(metadataApi, body))).toMatchObject({ stored: 'no' });
        await connection.request(metadataApi, {});
        expect(broker.requests.map(({ apiKey }) => apiKey)).toEqual([18, 3]);
      },
    );
  });

  test('an API that the broker lacks is UNSUPPORTED_VERSION naming both spans', async () => {
    await connected(
      () => undefined,
      async (connection) => {
        const error = await rejection(connection.request(metadataApi, {}, { maxVersion: -1 }));
        expect(error).toMatchObject({ code: 'UNSUPPORTED_VERSION', stored: 'no' });
        expect(error.message).toContain('Metadata');
      },
    );
  });

  test('a request without an answer resolves once it is written', async () => {
    await connected(
      () => undefined,
      async (connection, broker, world) => {
        await connection.request(metadataApi, {}, { expectResponse: false });
        await world.advance(10);
        expect(broker.requests.length).toBe(2);
        expect(connection.inFlight).toBe(0);
      },
    );
  });

  test('closing rejects what is on the wire, and is idempotent', async () => {
    await connected(
      () => undefined,
      async (connection) => {
        const pending = rejection(connection.request(metadataApi, {}));
        connection.close();
        connection.close();
        expect(await pending).toMatchObject({ code: 'DISCONNECTED', stored: 'maybe' });
      },
    );
  });
});

describe('a hostile peer gets a typed error within the deadline, and the process lives', () => {
  const frame = (correlationId: number, ...body: number[]): Uint8Array[] => [
    bytes(0, 0, 0, 4 + body.length, 0, 0, 0, correlationId, ...body),
  ];
  const text = (content: string): Uint8Array[] => [new TextEncoder().encode(content)];

  const rows: [string, (correlationId: number) => Uint8Array[], RegExp][] = [
    ['a frame length of -1', () => [bytes(255, 255, 255, 255)], /-1 bytes/],
    ['a frame length of -2^31', () => [bytes(128, 0, 0, 0, 1, 2, 3)], /-2147483648 bytes/],
    ['a frame length of 0', () => [bytes(0, 0, 0, 0)], /0 bytes/],
    ['a frame length over the limit', () => [bytes(127, 255, 255, 255, 0, 0)], /at most 1048576/],
    ['an HTTP answer', () => text('HTTP/1.1 400 Bad Request\r\n\r\n'), /HTTP/],
    ['a TLS alert', () => [bytes(0x15, 3, 3, 0, 2, 2, 40)], /TLS/],
    ['a wrong correlation id', () => frame(99, 0, 0), /answered request 99/],
    ['a truncated body', (id) => frame(id, 0, 0, 0), /Metadata/],
    ['an array count of 2^31-1', (id) => frame(id, 0, 0, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 8), /Metadata/],
    ['a varint of 6 bytes', (id) => frame(id, 0, 0, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 1), /Metadata/],
  ];

  for (const [what, reply, message] of rows) {
    test(what, async () => {
      await connected(
        (request) => reply(request.correlationId),
        async (connection, _, world) => {
          const began = world.now();
          const error = await rejection(connection.request(metadataApi, {}));
          expect(error).toBeInstanceOf(KafkaError);
          expect(error.message).toMatch(message);
          expect(error).toMatchObject({ stored: 'maybe' });
          expect(world.now() - began).toBeLessThanOrEqual(3010);
          expect(connection.ended).toBe(true);
        },
      );
    });
  }

  test('a frame that stops half way ends with the request deadline', async () => {
    await connected(
      () => [bytes(0, 0, 1, 0, 1, 2, 3)],
      async (connection, _, world) => {
        const began = world.now();
        expect(await rejection(connection.request(metadataApi, {}))).toMatchObject({ code: 'TIMEOUT' });
        expect(world.now() - began).toBeLessThanOrEqual(3010);
      },
    );
  });

  test('an answer that nobody asked for ends the connection', async () => {
    const world = virtualWorld();
    await world.run(async () => {
      const broker = await scriptedBroker(world.platform, (request) => [
        ...(apiVersionsAnswer(request, apis) ?? []),
        ...frame(77, 1, 2),
      ]);
      const connection = await Connection.open(broker.address, options(world), 'x');
      const ended = new Promise<unknown>((resolve) => {
        connection.onEnd = resolve;
      });
      if (!connection.ended) expect(String(await ended)).toMatch(/nothing had asked for/);
      expect(connection.ended).toBe(true);
      await broker.close();
    });
  });

  test('errors of bytes are ProtocolErrors with api, version and position', async () => {
    await connected(
      (request) => frame(request.correlationId, 0, 0, 0),
      async (connection) => {
        const error = await rejection(connection.request(metadataApi, {}));
        expect(error).toBeInstanceOf(ProtocolError);
        expect(error).toMatchObject({ api: 'MetadataResponse', version: metadataApi.request.versions.max });
      },
    );
  });
});

test('correlation ids go on from 0 past 2^31-1 (B5)', () => {
  expect([1, 2 ** 31 - 3, 2 ** 31 - 2, 2 ** 31 - 1].map(correlationIdAfter)).toEqual([
    2,
    2 ** 31 - 2,
    2 ** 31 - 1,
    0,
  ]);
});

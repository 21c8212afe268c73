/** What the Workers platform does where there is no `cloudflare:sockets`; the rest runs in workerd (runtimes.test.ts). */
import { describe, expect, test } from 'vitest';
import { platform } from '../../src/runtime/workers.ts';

const address = { host: '127.0.0.1', port: 1 };

describe('the Workers platform outside Workers', () => {
  test('loads, and a dial says what is missing and what to do', async () => {
    const failure = platform.dial(address, { connectTimeoutMs: 1_000 });
    await expect(failure).rejects.toThrow(/neither node:net nor cloudflare:sockets; pass your own `dial`/);
    await expect(failure).rejects.toMatchObject({ code: 'ENOTSUP' });
  });

  test('has no listener and no look-up, shares one socket a broker, and holds no process', () => {
    expect([platform.listen, platform.lookup, platform.maxSocketsPerBroker]).toEqual([
      undefined,
      undefined,
      1,
    ]);
    const release = platform.holdOpen();
    release();
    release();
  });

  test('a certificate setting is refused by name before anything is opened', async () => {
    const dial = (tls: object): Promise<unknown> => platform.dial(address, { connectTimeoutMs: 1_000, tls });
    await expect(dial({ ca: 'PEM' })).rejects.toThrow(/tls\.ca: only public certificate authorities/);
    await expect(dial({ serverName: 'b.example' })).rejects.toThrow(
      /tls\.serverName: .*use that name as the address/,
    );
    await expect(dial({ rejectUnauthorized: false })).rejects.toMatchObject({ code: 'ENOTSUP' });
    // The name that is dialled anyway is no setting.
    await expect(dial({ serverName: address.host })).rejects.toThrow(/cloudflare:sockets/);
  });
});

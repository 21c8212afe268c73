/** What every runtime's sockets must do: the transport contract, case by case.
 * Not here: the peer that the cases talk to (peer.ts tells its commands).
 * Invariant: a case closes what it opens and leaves no rejection unheard.
 */
import type { Transport } from '../../src/platform.ts';
import {
  bulk,
  bytesOf,
  check,
  checkBulk,
  commanded,
  equal,
  failureOf,
  newToken,
  pause,
  readBytes,
  reportUntil,
  soon,
  text,
  type ContractCase,
} from './contract-kit.ts';
import { platformCases } from './platform-cases.ts';

const reading: ContractCase[] = [
  {
    name: 'an answer is read as it was written',
    async run(platform, environment) {
      const transport = await commanded(platform, environment, 'echo');
      await transport.write([bytesOf('hello')]);
      equal(text(await readBytes(platform, transport, 5)), 'hello', 'answer');
      transport.close();
    },
  },
  {
    name: 'bytes that arrive in pieces are read in order',
    async run(platform, environment) {
      const transport = await commanded(platform, environment, 'pieces 40');
      await checkBulk(platform, transport, 40);
      equal(await transport.read(), null, 'end');
      transport.close();
    },
  },
  {
    name: 'a view holds its bytes until the next read, whatever arrives meanwhile',
    async run(platform, environment) {
      const transport = await commanded(platform, environment, 'echo');
      await transport.write([bytesOf('first')]);
      const view = await soon(platform, transport.read(), 'reading');
      await transport.write([bytesOf('other')]);
      await pause(platform, 20);
      equal(view === null ? '' : text(view), 'first', 'view');
      equal(text(await readBytes(platform, transport, 5)), 'other', 'next read');
      transport.close();
    },
  },
  {
    name: 'a large answer arrives whole and in order',
    async run(platform, environment) {
      const transport = await commanded(platform, environment, 'bulk 16000000');
      await checkBulk(platform, transport, 16_000_000);
      equal(await transport.read(), null, 'end');
      transport.close();
    },
  },
  {
    name: 'read takes a buffer as a hint',
    async run(platform, environment) {
      const transport = await commanded(platform, environment, 'echo');
      await transport.write([bytesOf('hint')]);
      const view = await soon(platform, transport.read(new Uint8Array(64)), 'reading');
      equal(view === null ? '' : text(view), 'hint', 'view');
      transport.close();
    },
  },
  {
    name: 'a slow reader slows the peer',
    async run(platform, environment) {
      const token = newToken(platform);
      const transport = await commanded(platform, environment, `flood ${token}`);
      let before = -1;
      // Until nothing more is taken: the kernel's buffers are full, and nobody holds the rest.
      await reportUntil(platform, environment, token, (answer) => {
        const isStill = Number(answer) > 0 && Number(answer) === before;
        before = Number(answer);
        return isStill;
      });
      check(before < 32_000_000, `${before} bytes were taken without a read`);
      transport.abort();
    },
  },
  {
    name: "the end of the peer's stream is null, again and again, and writing goes on",
    async run(platform, environment) {
      const token = newToken(platform);
      const transport = await commanded(platform, environment, `half-close ${token}`);
      equal(text(await readBytes(platform, transport)), 'bye', 'last words');
      equal(await transport.read(), null, 'second end');
      await transport.write([bytesOf('still here')]);
      await reportUntil(platform, environment, token, (answer) => answer === 'still here');
      transport.close();
    },
  },
  {
    name: 'a reset by the peer rejects the read',
    async run(platform, environment) {
      const transport = await commanded(platform, environment, 'reset');
      const failure = await failureOf(soon(platform, readBytes(platform, transport), 'reading'));
      if (platform.name !== 'workers') equal(failure.code, 'ECONNRESET', 'code');
      await failureOf(transport.read());
      transport.abort();
    },
  },
];

const writing: ContractCase[] = [
  {
    name: 'parts go out in order, empty ones and a thousand of them too',
    async run(platform, environment) {
      const transport = await commanded(platform, environment, 'echo');
      const parts: Uint8Array[] = [new Uint8Array(0)];
      for (let index = 0; index < 1_000; index++) parts.push(bulk(index * 7, 7));
      await transport.write(parts);
      await checkBulk(platform, transport, 7_000);
      transport.close();
    },
  },
  {
    name: 'a large request arrives whole and in order',
    async run(platform, environment) {
      const transport = await commanded(platform, environment, 'sink 12000000');
      for (let position = 0; position < 12_000_000; position += 1_000_000) {
        await transport.write([bulk(position, 300), bulk(position + 300, 999_700)]);
      }
      equal(text(await readBytes(platform, transport)), 'in order', 'verdict');
      transport.close();
    },
  },
  {
    name: 'write asks to be awaited when the peer takes nothing, and goes on when it does',
    async run(platform, environment) {
      const token = newToken(platform);
      const transport = await commanded(platform, environment, `stall ${token}`);
      let position = 0;
      let over = Promise.resolve();
      // The kernel and the runtime take some; stuck is what does not settle.
      for (let isStuck = false; !isStuck;) {
        check(position < 64_000_000, 'no end to what write takes');
        const waiting = transport.write([bulk(position, 1_000_000)]);
        position += 1_000_000;
        if (waiting === undefined) continue;
        over = waiting;
        isStuck = await Promise.race([waiting.then(() => false), pause(platform, 50).then(() => true)]);
      }
      transport.close();
      (await commanded(platform, environment, `release ${token}`)).close();
      await soon(platform, over, 'writing');
      await reportUntil(platform, environment, token, (answer) => answer === `${position} in order, ended`);
    },
  },
  {
    name: 'abort rejects the write that waits',
    async run(platform, environment) {
      const token = newToken(platform);
      const transport = await commanded(platform, environment, `stall ${token}`);
      let failed = 0;
      const writes: Promise<void>[] = [];
      for (let count = 0; count < 32; count++) {
        const waiting = transport.write([new Uint8Array(1_000_000)]);
        if (waiting === undefined) continue;
        writes.push(waiting.catch(() => void failed++));
      }
      check(writes.length > 0, 'no write waits');
      transport.abort(new Error('enough'));
      await soon(platform, Promise.all(writes), 'failing');
      check(failed > 0, 'no write failed');
    },
  },
];

const ending: ContractCase[] = [
  {
    name: 'close ends the stream after what was written, and the outstanding read with null',
    async run(platform, environment) {
      const token = newToken(platform);
      const transport = await commanded(platform, environment, `stay ${token}`);
      const read = transport.read();
      await transport.write([bytesOf('last words')]);
      transport.close();
      equal(await soon(platform, read, 'ending'), null, 'read');
      await reportUntil(platform, environment, token, (answer) => answer === 'last words, ended');
    },
  },
  {
    name: 'abort rejects the outstanding read with its reason, and the peer learns of it',
    async run(platform, environment) {
      const token = newToken(platform);
      const transport = await commanded(platform, environment, `stay ${token}`);
      const read = transport.read();
      transport.abort(new Error('enough'));
      equal((await failureOf(soon(platform, read, 'ending'))).message, 'enough', 'reason');
      equal((await failureOf(transport.read())).message, 'enough', 'reason of a later read');
      equal((await failureOf(transport.write([bytesOf('x')]))).message, 'enough', 'reason of a later write');
      await reportUntil(platform, environment, token, (answer) => /, (ended|reset)$/.test(answer));
    },
  },
  {
    name: 'close and abort may be called again, in any order',
    async run(platform, environment) {
      for (const order of ['cc', 'aa', 'ca', 'ac', 'cac']) {
        const transport = await commanded(platform, environment, 'echo');
        for (const step of order) {
          if (step === 'c') transport.close();
          else transport.abort();
        }
        await failureOf(transport.write([bytesOf('x')]));
      }
    },
  },
  {
    name: 'close while nothing is read does not disturb the bytes on their way out',
    async run(platform, environment) {
      const token = newToken(platform);
      const transport = await commanded(platform, environment, `count ${token}`);
      const waiting = transport.write([bulk(0, 3_000_000)]);
      transport.close();
      await waiting;
      await reportUntil(platform, environment, token, (answer) => answer === '3000000 in order, ended');
    },
  },
];

const dialling: ContractCase[] = [
  {
    name: 'a refused connection rejects at once',
    async run(platform, { refused }) {
      const failure = await failureOf(
        soon(platform, platform.dial(refused, { connectTimeoutMs: 60_000 }), 'being refused'),
      );
      if (platform.name !== 'workers') equal(failure.code, 'ECONNREFUSED', 'code');
    },
  },
  {
    name: 'an attempt that nobody answers ends at connectTimeoutMs with ETIMEDOUT',
    async run(platform, { unanswered }) {
      const startedMs = platform.monotonicNow();
      const failure = await failureOf(
        soon(platform, platform.dial(unanswered, { connectTimeoutMs: 100 }), 'giving up'),
      );
      equal(failure.code, 'ETIMEDOUT', `code of ${failure.message}`);
      check(platform.monotonicNow() - startedMs >= 95, 'too early');
    },
  },
  {
    name: "the signal ends an attempt with the signal's reason, before it and during it",
    async run(platform, { unanswered }) {
      const reason = new Error('changed my mind');
      const before = AbortSignal.abort(reason);
      const early = await failureOf(platform.dial(unanswered, { connectTimeoutMs: 5_000, signal: before }));
      equal(early, reason, 'before');
      const controller = new AbortController();
      const attempt = platform.dial(unanswered, { connectTimeoutMs: 5_000, signal: controller.signal });
      platform.setTimer(20, () => controller.abort(reason));
      equal(await failureOf(soon(platform, attempt, 'giving up')), reason, 'during');
    },
  },
  {
    name: 'the signal and the deadline of an attempt do nothing to the connection that it made',
    async run(platform, environment) {
      const controller = new AbortController();
      const options = { connectTimeoutMs: 150, signal: controller.signal };
      const transport = await platform.dial(environment.peer, options);
      controller.abort();
      await pause(platform, 170);
      await transport.write([bytesOf('echo\nhello')]);
      equal(text(await readBytes(platform, transport, 5)), 'hello', 'answer');
      transport.close();
    },
  },
  {
    name: 'five connections answer side by side',
    async run(platform, environment) {
      const answers = [0, 1, 2, 3, 4].map(async (index) => {
        const transport = await commanded(platform, environment, 'echo');
        for (let round = 0; round < 20; round++) {
          const words = `${index}/${round}`;
          await transport.write([bytesOf(words)]);
          equal(text(await readBytes(platform, transport, words.length)), words, 'answer');
        }
        transport.close();
      });
      await Promise.all(answers);
    },
  },
  {
    name: 'TLS reaches a server that the authorities given vouch for, and no other; what cannot be honoured is refused',
    async run(platform, { tls: address, ca }) {
      const dial = (tls: object): Promise<Transport> =>
        platform.dial(address, { connectTimeoutMs: 5_000, tls });
      const isWorkers = platform.name === 'workers';
      if (isWorkers) {
        const settings = { ca, cert: ca, key: ca, rejectUnauthorized: false, serverName: 'other.example' };
        for (const [name, value] of Object.entries(settings)) {
          const failure = await failureOf(dial({ [name]: value }));
          check(failure.message.includes(`tls.${name}`), `${name}: ${failure.message}`);
        }
      } else {
        check((await failureOf(soon(platform, dial({}), 'refusing'))).message !== '', 'unknown authority');
      }
      // workerd is told of the authority by its own configuration.
      for (const tls of isWorkers ? [{}] : [{ ca }, { rejectUnauthorized: false }]) {
        const transport = await dial(tls);
        const read = checkBulk(platform, transport, 3_000_000);
        await transport.write([bulk(0, 100), bulk(100, 2_999_900)]);
        await read;
        transport.close();
      }
    },
  },
  {
    name: 'the deadline counts the TLS handshake too',
    async run(platform, { peer }) {
      const attempt = platform.dial(peer, { connectTimeoutMs: 100, tls: {} });
      const failure = await failureOf(soon(platform, attempt, 'giving up'));
      // workerd reports a connection as open only after the handshake.
      equal(failure.code, 'ETIMEDOUT', `code of ${failure.message}`);
    },
  },
];

/** The whole contract. */
export const contractCases: readonly ContractCase[] = [
  ...reading,
  ...writing,
  ...ending,
  ...dialling,
  ...platformCases,
];

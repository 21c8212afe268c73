/** What the cases of the transport contract are written with.
 * Not here: a test framework, for the cases run on every runtime.
 * Invariant: no wait without a limit.
 */
import type { Address, Platform, Transport } from '../../src/platform.ts';

/** Where the cases find what they need. */
export interface ContractEnvironment {
  readonly peer: Address;
  /** Nobody listens here. */
  readonly refused: Address;
  /** Connections to it are never answered. */
  readonly unanswered: Address;
  /** An echo over TLS whose certificate names `localhost` and is signed by `ca`. */
  readonly tls: Address;
  readonly ca: string;
}

/** One sentence and the code that proves it. */
export interface ContractCase {
  readonly name: string;
  readonly run: (platform: Platform, environment: ContractEnvironment) => Promise<void>;
}

/** Fails the case with `what`. */
export function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** Fails the case when the two differ. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  check(actual === expected, `${what}: ${String(actual)} instead of ${String(expected)}`);
}

/** UTF-8. */
export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
/** UTF-8. */
export const bytesOf = (words: string): Uint8Array => new TextEncoder().encode(words);

/** What the promise rejects with; fails the case when it does not. */
export async function failureOf(
  promise: Promise<unknown> | void,
): Promise<{ code?: unknown; message: string }> {
  try {
    await promise;
  } catch (error) {
    return error as { message: string };
  }
  throw new Error('it should have failed');
}

/** Fails instead of hanging: every wait in the cases has this limit. */
export async function soon<T>(platform: Platform, promise: Promise<T>, what: string): Promise<T> {
  let cancel = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = platform.setTimer(5_000, () => reject(new Error(`${what} takes too long`))).cancel;
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    cancel();
  }
}

/** Some real time. */
export const pause = (platform: Platform, ms: number): Promise<void> =>
  new Promise((resolve) => void platform.setTimer(ms, resolve));

/** A connection to the peer that has been given its command. */
export async function commanded(
  platform: Platform,
  environment: ContractEnvironment,
  command: string,
): Promise<Transport> {
  const transport = await platform.dial(environment.peer, { connectTimeoutMs: 5_000 });
  await transport.write([bytesOf(`${command}\n`)]);
  return transport;
}

/** Reads until so many bytes are there, or to the end without a number. */
export async function readBytes(
  platform: Platform,
  transport: Transport,
  byteLength = Infinity,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  while (total < byteLength) {
    const chunk = await soon(platform, transport.read(), 'reading');
    if (chunk === null) break;
    chunks.push(chunk.slice());
    total += chunk.length;
  }
  const all = new Uint8Array(total);
  let position = 0;
  for (const chunk of chunks) {
    all.set(chunk, position);
    position += chunk.length;
  }
  return all;
}

/** What the peer has noted under the token. */
export async function report(
  platform: Platform,
  environment: ContractEnvironment,
  token: string,
): Promise<string> {
  const transport = await commanded(platform, environment, `report ${token}`);
  const answer = text(await readBytes(platform, transport));
  transport.close();
  return answer;
}

/** Asks for the note until it is as wanted. */
export async function reportUntil(
  platform: Platform,
  environment: ContractEnvironment,
  token: string,
  wanted: (answer: string) => boolean,
): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const answer = await report(platform, environment, token);
    if (wanted(answer)) return answer;
    check(attempt < 200, `the peer still says ${answer}`);
    await pause(platform, 10);
  }
}

let tokens = 0;
/** A token that no other case has. */
export const newToken = (platform: Platform): string => `${platform.name}-${++tokens}-${platform.random()}`;

/** The byte at a position of every bulk transfer: 251 is prime to all buffer sizes. */
export const bulkByte = (position: number): number => position % 251;

/** Bulk bytes from a position on. */
export function bulk(position: number, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  for (let index = 0; index < byteLength; index++) bytes[index] = bulkByte(position + index);
  return bytes;
}

/** Reads so many bulk bytes, or fails at the first that is out of order. */
export async function checkBulk(platform: Platform, transport: Transport, byteLength: number): Promise<void> {
  let position = 0;
  while (position < byteLength) {
    const chunk = await soon(platform, transport.read(), 'reading');
    if (chunk === null) break;
    for (let index = 0; index < chunk.length; index += 97) {
      equal(chunk[index], bulkByte(position + index), `byte ${position + index}`);
    }
    position += chunk.length;
  }
  equal(position, byteLength, 'length of the transfer');
}

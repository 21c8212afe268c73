/**
 * Asks a broker who is alive, with two requests written as bytes. Not a client: the rig must not depend on the code it
 * is there to test. Sources: the protocol guide's ApiVersions v0 and Metadata v1, spoken by every release from 0.10.
 */
import { connect } from 'node:net';

// length, key, version, correlation id, null client id; Metadata's empty topic list asks for no topic
const apiVersionsRequest = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];
const metadataRequest = [0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0, 0, 0, 0];

/** Node ids of the brokers that `address` ("host:port") lists as alive, sorted. Rejects without an answer in `timeoutMs`. */
export function aliveBrokers(address: string, timeoutMs = 1000): Promise<number[]> {
  const colon = address.lastIndexOf(':');
  return new Promise((resolve, reject) => {
    const socket = connect(Number(address.slice(colon + 1)), address.slice(0, colon));
    const finish = (outcome: () => void): void => {
      clearTimeout(deadline);
      socket.destroy();
      outcome();
    };
    const fail = (error: unknown): void => finish(() => reject(error));
    const deadline = setTimeout(() => fail(new Error(`${address}: no answer in ${timeoutMs} ms`)), timeoutMs);
    let received: Uint8Array = new Uint8Array(0);
    socket.on('error', fail);
    socket.on('end', () => fail(new Error(`${address}: closed the connection`)));
    socket.on('data', (chunk) => {
      received = Uint8Array.from([...received, ...chunk]);
      try {
        const ids = brokerIds(received);
        if (ids !== undefined) finish(() => resolve(ids));
      } catch (error) {
        fail(error);
      }
    });
    socket.write(Uint8Array.from([...apiVersionsRequest, ...metadataRequest]));
  });
}

/** The ids in the two responses; undefined while they are not complete. */
function brokerIds(bytes: Uint8Array): number[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 10) return undefined;
  const second = 4 + view.getInt32(0);
  if (bytes.length < second + 4 || bytes.length < second + 4 + view.getInt32(second)) return undefined;
  if (view.getInt32(4) !== 1 || view.getInt16(8) !== 0) throw new Error('not an answer to ApiVersions v0');
  if (view.getInt32(second + 4) !== 2) throw new Error('not an answer to Metadata v1');
  const ids: number[] = [];
  let at = second + 12;
  for (let left = view.getInt32(second + 8); left > 0; left--) {
    ids.push(view.getInt32(at));
    at += 6 + view.getInt16(at + 4) + 4; // id, host, port
    at += 2 + Math.max(0, view.getInt16(at)); // nullable rack
  }
  return ids.sort((a, b) => a - b);
}

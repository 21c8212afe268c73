/** Free ports for brokers. Below the range that systems use for outgoing connections (32768 on Linux, 49152 elsewhere):
 * a client that keeps reconnecting to a stopped broker could otherwise be given the broker's own port. */
import { createServer } from 'node:net';

const lowest = 20_000;
const highest = 32_000;

/** `count` consecutive ports of 127.0.0.1 that are free now. Another process may still take one: be ready to try again. */
export async function freePorts(count: number): Promise<number[]> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const first = lowest + Math.floor(Math.random() * (highest - lowest - count));
    const ports = Array.from({ length: count }, (_, index) => first + index);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return ports;
  }
  throw new Error(`no ${count} free ports in a row between ${lowest} and ${highest}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  });
}

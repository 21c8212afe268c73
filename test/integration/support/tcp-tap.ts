/** A small TCP tap: clients reach an embedded broker through it, and what both sides sent becomes a pcap file.
 * Not a fault proxy: bytes go on as they came, in the pieces in which they came.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Listener, Platform } from '../../../src/platform.ts';
import { platform } from '../../../src/runtime/node.ts';
import { CapturedConnection, packet, pcap, type Segment } from '../../cli/support/captures.ts';

/** Connections that went through. */
export class TcpTap {
  /** Bytes that went through, in both directions. */
  bytes = 0;
  /** In the order in which they were sent, over all connections. */
  readonly #segments: { segment: Segment; timeUs: number }[] = [];

  /** A platform on which brokers listen behind the tap: they advertise its port as theirs. */
  get platform(): Platform {
    return {
      ...platform,
      listen: async ({ host, port }, accept) => {
        if (!platform.listen) throw new Error('this runtime cannot listen');
        const broker = await platform.listen({ host, port: 0 }, accept);
        return this.#front(broker, host, port);
      },
    };
  }

  /** The capture so far. */
  pcap(): Uint8Array {
    const sent = this.#segments;
    return pcap(
      sent.map(({ segment }) => packet(segment)),
      { timesUs: sent.map(({ timeUs }) => timeUs) },
    );
  }

  async #front(broker: Listener, host: string, port: number): Promise<Listener> {
    const open = new Set<Socket>();
    const server = createServer((client) => this.#connect(client, broker.address.port, open));
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
    return {
      address: { host, port: (server.address() as AddressInfo).port },
      close: async () => {
        for (const socket of open) socket.destroy();
        await Promise.all([new Promise((resolve) => server.close(resolve)), broker.close()]);
      },
    };
  }

  #connect(client: Socket, port: number, open: Set<Socket>): void {
    const server = connect(port, '127.0.0.1');
    const ends = [client.remotePort ?? 0, client.localPort ?? 0].map((each) => ({
      address: '127.0.0.1',
      port: each,
    }));
    const connection = new CapturedConnection(ends[0], ends[1]).open();
    const record = (): void => {
      const timeUs = Math.round((performance.timeOrigin + performance.now()) * 1000);
      for (const segment of connection.segments.splice(0)) this.#segments.push({ segment, timeUs });
    };
    record();
    const join = (from: Socket, to: Socket, side: 'client' | 'server'): void => {
      open.add(from);
      from.setNoDelay(true);
      from.on('data', (bytes) => {
        this.bytes += bytes.length;
        connection.send(side, bytes);
        record();
        to.write(bytes);
      });
      from.on('error', () => to.destroy());
      from.on('end', () => to.end());
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
    };
    join(client, server, 'client');
    join(server, client, 'server');
    client.once('close', () => {
      connection.close();
      record();
    });
  }
}

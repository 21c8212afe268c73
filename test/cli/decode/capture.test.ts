/** Captures: every link type and file form, segments in any order, and files that lie about lengths. */
import { describe, expect, test } from 'vitest';
import {
  CapturedConnection,
  joined,
  packet,
  pcap,
  pcapng,
  pcapngBlock,
  type LinkName,
  type Segment,
} from '../support/captures.ts';
import { exchanges } from '../support/exchanges.ts';
import { randomFrom } from '../../integration/support/random.ts';
import { run } from '../../../src/cli/program.ts';
import { kafkaWire, pieces, type JsonPiece } from '../support/run.ts';

const SEED = Number(process.env['KAFKA_WIRE_SEED'] ?? 41);
const some = exchanges('nested').filter((_, index) => index % 25 === 0);

const ipv6 = [
  { address: 'fe80:0:0:0:0:0:0:1', port: 50_000 },
  { address: 'fe80:0:0:0:0:0:0:2', port: 9092 },
] as const;

/** A connection with all exchanges, in small segments. */
function conversation(
  ends: readonly [Segment['from'], Segment['to']] | readonly [] = [],
): CapturedConnection {
  const connection = new CapturedConnection(ends[0], ends[1], 100).open();
  for (const { request, response } of some) connection.send('client', request).send('server', response);
  return connection.close();
}

/** What the pieces say, in their order. */
function said(found: readonly JsonPiece[]): string[] {
  return found.map(({ kind, api, version, side, by, damage, what }) =>
    [api, `v${version}`, side, by, kind === 'fault' ? what : '', damage ? JSON.stringify(damage) : '']
      .filter(Boolean)
      .join(' '),
  );
}

const expected = some.flatMap(({ name, version }) => [
  `${name} v${version} request header`,
  `${name} v${version} response request`,
]);

describe('a capture is explained whole', () => {
  for (const link of ['null', 'ethernet', 'raw', 'loop', 'sll', 'sll2', 'ipv4'] satisfies LinkName[]) {
    test(`of link type ${link} over IPv4`, async () => {
      const { code, pieces: found } = await pieces(pcap(conversation().packets(link), { link }));
      expect(said(found)).toEqual(expected);
      expect(code).toBe(0);
    });
  }

  for (const link of ['null', 'ethernet', 'raw', 'loop', 'sll', 'sll2', 'ipv6'] satisfies LinkName[]) {
    test(`of link type ${link} over IPv6`, async () => {
      const { pieces: found } = await pieces(pcap(conversation(ipv6).packets(link), { link }));
      expect(said(found)).toEqual(expected);
    });
  }

  for (const isBigEndian of [false, true]) {
    for (const isNano of [false, true]) {
      const style = { isBigEndian, isNano };
      test(`of either form, ${JSON.stringify(style)}, with its times`, async () => {
        const packets = conversation().packets();
        for (const write of [pcap, pcapng]) {
          const { pieces: found } = await pieces(write(packets, style), [], { chunkBytes: 777 });
          expect(said(found)).toEqual(expected);
          expect(found[0]?.time).toMatch(/^2023-11-14T22:13:20\.000Z$/);
        }
      });
    }
  }

  test('with VLAN tags, padding behind short packets, and packets of other protocols', async () => {
    const packets = conversation()
      .packets()
      .flatMap((each) => [
        joined(each.subarray(0, 12), [0x81, 0, 0, 7], each.subarray(12), new Uint8Array(6)),
        joined(each.subarray(0, 12), [0x08, 0x06], new Uint8Array(28)), // ARP
        Uint8Array.from(each, (byte, index) => (index === 23 ? 17 : byte)), // UDP
      ]);
    expect(said((await pieces(pcap(packets))).pieces)).toEqual(expected);
  });
});

describe('TCP is put together', () => {
  test(`whatever the order within a window, and whatever is sent twice (seed ${SEED})`, async () => {
    const random = randomFrom(SEED);
    for (let round = 0; round < 20; round++) {
      // Each side's bytes arrive in any order; what answers them comes later.
      const bursts: Segment[][] = [];
      for (const segment of conversation().segments) {
        const burst = bursts.at(-1);
        if (burst?.[0]?.from === segment.from && !burst[0].isSyn) burst.push(segment);
        else bursts.push([segment]);
      }
      const packets = bursts
        .flatMap((burst) =>
          burst
            .flatMap((segment) => (random() < 0.2 ? [segment, segment] : [segment]))
            .map((segment, index) => ({ segment, place: index + random() * 6 }))
            .toSorted((x, y) => x.place - y.place),
        )
        .map(({ segment }) => packet(segment));
      const { pieces: found } = await pieces(pcap(packets));
      expect(said(found)).toEqual(expected);
    }
  });

  test('when segments overlap', async () => {
    const connection = conversation();
    const widened = connection.segments.flatMap((segment, index): Segment[] => {
      const next = connection.segments.slice(index + 1).find(({ from }) => from === segment.from);
      const { payload } = segment;
      if (!payload || !next?.payload) return [segment];
      const isNext = (segment.sequence + payload.length) >>> 0 === next.sequence;
      return isNext ? [{ ...segment, payload: joined(payload, next.payload.subarray(0, 40)) }] : [segment];
    });
    const { pieces: found } = await pieces(pcap(widened.map((each) => packet(each))));
    // The bytes that came early may end the next frame early.
    expect(said(found).toSorted()).toEqual(expected.toSorted());
  });

  test('of many connections at once, each with its own correlation ids', async () => {
    const connections = Array.from({ length: 5 }, (_, index) =>
      conversation([
        { address: '10.0.0.1', port: 40_000 + index },
        { address: '10.0.0.2', port: 9092 },
      ]),
    );
    const length = Math.max(...connections.map(({ segments }) => segments.length));
    const woven = Array.from({ length }, (_, index) =>
      connections.flatMap(({ segments }) => segments[index] ?? []),
    );
    const { code, pieces: found } = await pieces(pcap(woven.flat().map((each) => packet(each))));
    for (let number = 1; number <= 5; number++)
      expect(said(found.filter(({ connection }) => connection === number))).toEqual(expected);
    expect(code).toBe(0);
  });

  test('when the capture begins within the connection: the next frame is found', async () => {
    const segments = conversation().segments.slice(6);
    const { pieces: found } = await pieces(pcap(segments.map((each) => packet(each))));
    expect(found.filter(({ kind, damage }) => kind === 'frame' && damage)).toEqual([]);
    expect(said(found).slice(-10)).toEqual(expected.slice(-10));
  });

  test('up to a gap, behind which the next frame is found, and the loss is told', async () => {
    const { segments } = conversation();
    const lost = segments.findIndex(({ payload }, index) => index > 20 && payload?.length === 100);
    const packets = segments.filter((_, index) => index !== lost).map((each) => packet(each));
    const { code, pieces: found } = await pieces(pcap(packets));
    expect(code).toBe(1);
    expect(JSON.stringify(found.map(({ damage, what }) => [damage, what]))).toMatch(/bytes .* not in the /);
    expect(said(found).slice(0, 3)).toEqual(expected.slice(0, 3));
    expect(said(found).slice(-6)).toEqual(expected.slice(-6));
  });
});

test('a capture that is still being taken is explained as it grows', async () => {
  const packets = conversation().packets();
  const file = pcap(packets);
  let out = '';
  const seen: number[] = [];
  await run(['decode', '--ndjson'], {
    input: (async function* () {
      for (let at = 0; at < file.length; at += 500) {
        yield file.subarray(at, at + 500);
        seen.push(out.split('\n').length - 1);
      }
    })(),
    isInputTerminal: false,
    isColoured: false,
    write(text) {
      out += text;
    },
    complain: () => undefined,
  });
  // At every chunk all frames are out that were complete two chunks before.
  expect(seen.at(-1)).toBeGreaterThanOrEqual(expected.length - 2);
  expect(new Set(seen).size).toBeGreaterThan(expected.length / 2);
});

describe('a capture without anything of Kafka', () => {
  test('says so, and that TLS cannot be read', async () => {
    const hello = joined([0x16, 3, 1, 0, 50], new Uint8Array(50));
    const connection = new CapturedConnection().open().send('client', hello).send('server', hello).close();
    const { code, out } = await kafkaWire(['decode'], { input: pcap(connection.packets()) });
    expect(out).toContain('1 TCP connections, 0 of them Kafka');
    expect(out).toContain('1 connections are TLS and cannot be read');
    expect(out).toContain('nothing found');
    expect(code).toBe(0);
  });

  test('of an unknown link type says which', async () => {
    const file = pcap(conversation().packets());
    new DataView(file.buffer).setUint32(20, 147, true);
    expect((await kafkaWire(['decode'], { input: file })).out).toContain('link type 147');
  });

  test('on another port than --port is passed over', async () => {
    const input = pcap(conversation().packets());
    expect((await pieces(input, ['--port', '9093'])).pieces).toEqual([]);
    expect(said((await pieces(input, ['--port', '9092'])).pieces)).toEqual(expected);
  });
});

describe('a capture that lies', () => {
  const packets = conversation().packets();

  test('about the length of a packet is read up to there, and takes no memory for it', async () => {
    const at = 24 + 16 + (packets[0]?.length ?? 0);
    for (const length of [0x7fff_ffff, 0xffff_ffff, 0x0010_0000]) {
      const file = pcap(packets);
      new DataView(file.buffer).setUint32(at + 8, length, true);
      const before = process.memoryUsage().arrayBuffers;
      const { code, pieces: found } = await pieces(file);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 2 ** 20);
      expect(code).toBe(1);
      expect(found.at(-1)).toMatchObject({ kind: 'fault', at: at + 8, isDamage: true });
    }
  });

  test('about the length of a block is read up to there', async () => {
    for (const length of [0, 8, 13, 0x7fff_fffc, 0xffff_fffc]) {
      const block = pcapngBlock(6, new Uint8Array(32));
      new DataView(block.buffer).setUint32(4, length, true);
      const file = joined(pcapng(packets), block);
      const { code, pieces: found } = await pieces(file);
      expect(code).toBe(1);
      expect(said(found.slice(0, -1))).toEqual(expected);
      expect(found.at(-1)).toMatchObject({ kind: 'fault', at: file.length - block.length + 4 });
    }
  });

  test(`in any byte never breaks the command (seed ${SEED})`, async () => {
    const random = randomFrom(SEED);
    const clean = [pcap(packets.slice(0, 40)), pcapng(packets.slice(0, 40))];
    for (let round = 0; round < 100; round++) {
      const file = (clean[round % 2] ?? new Uint8Array(0)).slice();
      for (let i = 0; i < 3; i++) file[Math.floor(random() * file.length)] = Math.floor(random() * 256);
      const input = random() < 0.3 ? file.subarray(0, Math.floor(random() * file.length)) : file;
      const { code } = await kafkaWire(['decode', '--ndjson'], { input });
      expect([0, 1, 2], `round ${round}`).toContain(code);
    }
  });

  test('about a frame’s length holds at most the bytes that came', async () => {
    const huge = joined([0x0f, 0xff, 0xff, 0xff], some[0]?.request.subarray(4) ?? []);
    const connection = new CapturedConnection().open().send('client', huge);
    const before = process.memoryUsage().arrayBuffers;
    const { code, pieces: found } = await pieces(pcap(connection.packets()));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 2 ** 20);
    expect(code).toBe(1);
    expect(found[0]).toMatchObject({ kind: 'frame', api: some[0]?.name });
  });
});

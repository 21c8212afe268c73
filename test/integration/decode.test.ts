/**
 * `kafka-wire decode` explains what other clients say to a broker: a capture of kcat and of Java's console tools against
 * the embedded broker, taken by a TCP tap between them, down to the last frame and without a flag.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EmbeddedCluster } from '../../src/testing/index.ts';
import { pieces, type JsonNode, type JsonPiece } from '../cli/support/run.ts';
import { peers, type PeerRecord } from './peers/peers.ts';
import { TcpTap } from './support/tcp-tap.ts';
import { describeWith } from './support/tools.ts';

const count = 300;
const testTimeoutMs = 90_000;

for (const [name, tools] of [
  ['kcat', ['kcat']],
  ['Java', ['java', 'mvn']],
] as const) {
  describeWith(tools, `a capture of ${name}`, () => {
    const tap = new TcpTap();
    let cluster: EmbeddedCluster;
    beforeAll(async () => {
      const { platform } = tap;
      cluster = await EmbeddedCluster.start({ brokers: 2, topics: [{ name, partitions: 3 }], platform });
    });
    afterAll(() => cluster?.close());

    test('that produces and consumes as a group is explained whole', { timeout: testTimeoutMs }, async () => {
      const peer = peers.find((each) => each.name === name);
      if (!peer) throw new Error(`there is no peer ${name}`);
      await peer.write(cluster.brokers, name, recordsOf(name));
      expect(await peer.read(cluster.brokers, `group-of-${name}`, [name], count)).toHaveLength(count);
      await cluster.close();

      const { code, pieces: found } = await pieces(tap.pcap());
      const frames = found.filter(({ kind }) => kind === 'frame');
      const explained = frames.filter(
        (piece) => piece.api !== undefined && piece.damage === undefined && coversAll(piece),
      );
      const apis = [...new Set(frames.map(({ api = '?', version = -1 }) => `${api} v${version}`))].sort();
      process.stdout.write(
        `  decode: ${explained.length} of ${frames.length} frames of ${name} explained (${apis.join(', ')})\n`,
      );
      expect(found.filter(({ kind }) => kind === 'fault')).toEqual([]);
      expect(frames.filter((piece) => !explained.includes(piece))).toEqual([]);
      expect(code).toBe(0);
      expect(frames.length).toBeGreaterThan(30);
      expect(frames.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(tap.bytes);
      const of = (side: string): JsonPiece[] => frames.filter((piece) => piece.side === side);
      // Every response found its request; a request without an answer is one that its connection outlived.
      expect(of('response').map(({ by }) => by)).toEqual(of('response').map(() => 'request'));
      expect(new Set(of('request').map(({ by }) => by))).toEqual(new Set(['header']));
      for (const api of ['Produce', 'Fetch', 'JoinGroup', 'SyncGroup', 'OffsetCommit', 'LeaveGroup'])
        expect(
          of('response').some((piece) => piece.api === api),
          api,
        ).toBe(true);
      expect(valuesIn(of('request').filter(({ api }) => api === 'Produce'))).toBe(count);
      expect(pathsIn(of('request').filter(({ api }) => api === 'JoinGroup'))).toContain('metadata.version');
    });
  });
}

function recordsOf(topic: string): PeerRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `clé-${index % 37}`,
    value: `${topic} ${'x'.repeat(index % 50)} ${index}`,
  }));
}

/** Whether the leaves of the frame follow each other from its first byte to its last. */
function coversAll({ bytes, fields }: JsonPiece): boolean {
  let end = 0;
  const walk = (nodes: readonly JsonNode[]): boolean =>
    nodes.every(({ space, offset, length, children }) => {
      if (space !== 0) return true;
      if (children?.some((child) => child.space === 0)) return walk(children);
      const follows = offset === end;
      end = offset + length;
      return follows;
    });
  return walk(fields) && end === bytes;
}

function nodesOf(piece: JsonPiece): JsonNode[] {
  const all: JsonNode[] = [];
  const walk = (nodes: readonly JsonNode[]): void => {
    for (const node of nodes) {
      all.push(node);
      walk(node.children ?? []);
    }
  };
  walk(piece.fields);
  return all;
}

/** Records whose values were found, in compressed batches too. */
function valuesIn(found: readonly JsonPiece[]): number {
  return found.flatMap(nodesOf).filter(({ path }) => /records\[\d+\]\.value$/.test(path)).length;
}

function pathsIn(found: readonly JsonPiece[]): string[] {
  return found.flatMap(nodesOf).map(({ path }) => path.replace(/^.*(?=metadata)/, ''));
}

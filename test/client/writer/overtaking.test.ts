/** Batches that wait for a connection: they are not sent before it is open, so that no younger one overtakes them, and
 * until then they count as unsent.
 */
import { describe, expect, it } from 'vitest';
import { produceApi } from '../../../src/protocol/index.ts';
import type { WriterSettings } from '../../../src/client/writer/options.ts';
import type { WriteErrors } from '../../../src/client/writer/errors.ts';
import { failureOf, play, type Scene } from './scene.ts';

/** Epoch and sequence of the batch in each request, in the order of the wire. */
function sequences({ faults }: Scene['cluster']): string[] {
  return faults.requests(produceApi).map(({ request }) => {
    const records = request.topicData[0]?.partitionData[0]?.records ?? new Uint8Array(61);
    const view = new DataView(records.buffer, records.byteOffset);
    return `${view.getInt16(51)}/${view.getInt32(53)}`;
  });
}

/** Cuts the connection of a Writer that has written, and keeps the broker from taking a new one. */
function freeze({ world, cluster }: Scene): () => void {
  const [address = ''] = cluster.brokers;
  cluster.faults.clear();
  world.network.cut(address);
  world.network.freeze(address);
  return () => world.network.thaw(address);
}

const writers: readonly [string, WriterSettings][] = [
  ['an idempotent Writer', {}],
  ['a Writer that is not idempotent', { idempotent: false }],
  ['a Writer with acks 1', { requiredAcks: 1 }],
  ['a Writer with acks 0', { requiredAcks: 0 }],
];

describe.each(writers)('%s', (_, settings) => {
  it('sends in the order of the calls although the first gave up waiting for the connection', () =>
    play({}, async (scene) => {
      const { world, cluster, writer, values } = scene;
      const one = writer({ requestTimeoutMs: 2_000, batchSize: 1, ...settings });
      await one.writeMessages({ value: 'warm' });
      await world.advance(100);
      const thaw = freeze(scene);
      const writing = [one.writeMessages({ value: 'first' })];
      await world.advance(100);
      writing.push(one.writeMessages({ value: 'second' }));
      // The first met its limit 50 ms ago, the second will in 50 ms.
      await world.advance(1_950);
      thaw();
      await Promise.all(writing);
      // With acks 0 they are still on their way.
      await world.advance(100);
      expect(await values()).toEqual(['warm', 'first', 'second']);
      const places = one.stats().idempotent ? ['0/1', '0/2'] : ['-1/-1', '-1/-1'];
      expect(sequences(cluster)).toEqual(places);
    }));
});

describe('a batch that waits for a connection', () => {
  it('is not stored when its time is over, and leaves no gap', () =>
    play({}, async (scene) => {
      const { world, cluster, writer, values } = scene;
      const one = writer({ requestTimeoutMs: 2_000, deliveryTimeoutMs: 5_000, batchSize: 1 });
      await one.writeMessages({ value: 'warm' });
      const thaw = freeze(scene);
      const failure = (await failureOf(one.writeMessages({ value: 'first' }))) as WriteErrors;
      expect(failure.errors[0]).toMatchObject({ code: 'TIMEOUT', stored: 'no' });
      expect(failure.message).toMatch(
        /within deliveryTimeoutMs, 5000 ms; the last attempt: No connection to /,
      );
      thaw();
      await world.advance(10_000);
      await one.writeMessages({ value: 'second' });
      expect(await values()).toEqual(['warm', 'second']);
      // The same epoch, and the sequence that the first would have had.
      expect(sequences(cluster)).toEqual(['0/1']);
    }));

  it('can be withdrawn', () =>
    play({}, async (scene) => {
      const { world, writer, values } = scene;
      const one = writer({ requestTimeoutMs: 2_000 });
      await one.writeMessages({ value: 'warm' });
      const thaw = freeze(scene);
      const stop = new AbortController();
      const call = failureOf(one.writeMessages({ value: 'first' }, { signal: stop.signal }));
      await world.advance(3_000);
      const second = one.writeMessages({ value: 'second' });
      stop.abort();
      expect(((await call) as WriteErrors).errors[0]).toMatchObject({ stored: 'no' });
      thaw();
      await second;
      expect(await values()).toEqual(['warm', 'second']);
    }));

  it('has company when the connection is there', () =>
    play({}, async (scene) => {
      const { world, cluster, writer, values } = scene;
      const one = writer({ requestTimeoutMs: 2_000 });
      await one.writeMessages({ value: 'warm' });
      const thaw = freeze(scene);
      const calls = [one.writeMessages({ value: 'first' })];
      await world.advance(3_000);
      calls.push(one.writeMessages({ value: 'second' }));
      thaw();
      await Promise.all(calls);
      expect(await values()).toEqual(['warm', 'first', 'second']);
      expect(cluster.faults.requests(produceApi)).toHaveLength(1);
    }));

  it('goes to the new leader when the old one is not reached', () =>
    play({ brokers: 2 }, async ({ world, cluster, writer, values }) => {
      const one = writer({ requestTimeoutMs: 2_000, metadataMaxAgeMs: 600_000 });
      cluster.moveLeader('t', 0, 1);
      await one.writeMessages({ value: 'warm' });
      const [address = ''] = cluster.brokers;
      world.network.cut(address);
      world.network.freeze(address);
      cluster.moveLeader('t', 0, 2);
      const sentMs = world.now();
      await one.writeMessages({ value: 'first' });
      expect(world.now() - sentMs).toBeLessThan(5_000);
      world.network.thaw(address);
      expect(await values()).toEqual(['warm', 'first']);
    }));
});

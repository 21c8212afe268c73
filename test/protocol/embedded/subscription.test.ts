/** Group metadata: the version in front, and what a newer or older one reads as. */
import { describe, expect, test } from 'vitest';
import { decodeAssignment, encodeAssignment } from '../../../src/protocol/embedded/assignment.ts';
import { decodeSubscription, encodeSubscription } from '../../../src/protocol/embedded/subscription.ts';
import { fromHex, hex, toHex } from '../api/java-fixtures.ts';

const full = {
  topics: ['orders', 'payments'],
  userData: fromHex('0102'),
  ownedPartitions: [{ topic: 'orders', partitions: [0, 2] }],
  generationId: 7,
  rackId: 'z1',
};

describe('a subscription', () => {
  test('has its version in front', () => {
    const topics = '00000001 0006 6f7264657273';
    expect(toHex(encodeSubscription({ topics: ['orders'] }, 0))).toBe(hex(`0000${topics}ffffffff`));
    expect(toHex(encodeSubscription({ topics: ['orders'] }))).toBe(
      hex(`0003${topics}ffffffff${'00000000ffffffffffff'}`),
    );
  });

  test('comes back whole, and older versions lose what they lack', () => {
    expect(decodeSubscription(encodeSubscription(full))).toEqual(full);
    expect(decodeSubscription(encodeSubscription(full, 2))).toEqual({ ...full, rackId: null });
    expect(decodeSubscription(encodeSubscription(full, 1))).toEqual({
      ...full,
      rackId: null,
      generationId: -1,
    });
    expect(decodeSubscription(encodeSubscription(full, 0))).toEqual({
      ...full,
      rackId: null,
      generationId: -1,
      ownedPartitions: [],
    });
  });

  test('of a newer version reads as our newest, surplus ignored', () => {
    const bytes = fromHex(`7fff${toHex(encodeSubscription(full)).slice(4)}aabbcc`);
    expect(decodeSubscription(bytes)).toEqual(full);
  });

  test.each([
    ['of a negative version', 'ffff'],
    ['of no bytes', ''],
    ['cut short', '0000000000010006'],
    ['with 2^31-1 topics', '00007fffffff'],
  ])('%s is a ProtocolError', (_, hex) => {
    expect(() => decodeSubscription(fromHex(hex))).toThrow(
      expect.objectContaining({ name: 'ProtocolError' }),
    );
  });
});

describe('an assignment', () => {
  test('comes back whole in every version', () => {
    const value = { assignedPartitions: [{ topic: 'orders', partitions: [1] }], userData: null };
    for (const version of [0, 1, 2, 3]) {
      const bytes = encodeAssignment(value, version);
      expect(toHex(bytes.subarray(0, 2))).toBe(hex(`000${version}`));
      expect(decodeAssignment(bytes)).toEqual(value);
    }
  });

  test('of no bytes is empty: the leader gave this member nothing', () => {
    expect(decodeAssignment(new Uint8Array(0))).toEqual({ assignedPartitions: [], userData: null });
  });
});

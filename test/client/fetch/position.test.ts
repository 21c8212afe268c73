/** The decisions about a position, and the count of what is buffered; no broker. */
import { describe, expect, test } from 'vitest';
import { emptySnapshot, zeroTopicId } from '../../../src/client/cluster/metadata.ts';
import type { MetadataSnapshot } from '../../../src/client/cluster/index.ts';
import { AssignedPartition } from '../../../src/client/fetch/assigned-partition.ts';
import { BufferBudget, Frame } from '../../../src/client/fetch/buffer-budget.ts';
import {
  placeOf,
  resetTimestamp,
  timestampOf,
  verdictOn,
  type StartOffset,
} from '../../../src/client/fetch/position.ts';
import { ErrorCodes } from '../../../src/protocol/error-codes.ts';

describe('a position', () => {
  test.each([
    ['NONE', 'none'],
    ['OFFSET_OUT_OF_RANGE', 'reset'],
    ['NOT_LEADER_OR_FOLLOWER', 'refresh-metadata'],
    ['FENCED_LEADER_EPOCH', 'refresh-metadata'],
    ['UNKNOWN_TOPIC_ID', 'refresh-metadata'],
    ['UNKNOWN_LEADER_EPOCH', 'retry'],
    ['OFFSET_NOT_AVAILABLE', 'retry'],
    ['COORDINATOR_NOT_AVAILABLE', 'retry'],
    ['TOPIC_AUTHORIZATION_FAILED', 'refuse'],
    ['UNSUPPORTED_COMPRESSION_TYPE', 'refuse'],
  ] as const)('after %s: %s', (name, verdict) => {
    expect(verdictOn(ErrorCodes[name])).toBe(verdict);
  });

  test('is looked up by time, except an offset', () => {
    const starts: StartOffset[] = ['earliest', 'latest', 42, new Date(5000)];
    expect(starts.map(timestampOf)).toEqual([-2, -1, undefined, 5000]);
    expect(resetTimestamp(42)).toBe(-2);
    expect(resetTimestamp('latest')).toBe(-1);
  });

  test('is fetched from nobody while nobody leads', () => {
    const snapshotOf = (leader: number): MetadataSnapshot => {
      const partitions = [{ partition: 0, leader, leaderEpoch: 3, replicas: [], isr: [] }];
      const topic = { name: 't', topicId: zeroTopicId, errorCode: 0, partitions };
      return { ...emptySnapshot, topics: new Map([['t', topic]]) };
    };
    expect(placeOf(snapshotOf(-1), { topic: 't', partition: 0 })).toBeUndefined();
    expect(placeOf(snapshotOf(2), { topic: 't', partition: 0 })).toMatchObject({ leader: 2, leaderEpoch: 3 });
    expect(placeOf(snapshotOf(2), { topic: 't', partition: 1 })).toBeUndefined();
    expect(placeOf(snapshotOf(2), { topic: 'u', partition: 0 })).toBeUndefined();
  });

  test('may be committed over gaps only when nothing is outstanding, and a step back undoes what was done', () => {
    const owner = new AssignedPartition('t', 0);
    owner.standAt(10);
    expect([owner.committable, owner.committed]).toEqual([10, 10]);
    owner.position = owner.handedOut = 13;
    expect(owner.committable).toBe(10);
    owner.done = 12;
    expect(owner.committable).toBe(12);
    owner.done = 13;
    owner.position = 20;
    expect(owner.committable).toBe(20);
    owner.standAt(11);
    expect([owner.committable, owner.done, owner.handedOut]).toEqual([11, 11, 11]);
  });
});

describe('the buffer budget', () => {
  test('grants what there is room for, anything when it is empty, and tells when there is room again', () => {
    let told = 0;
    const budget = new BufferBudget(100, () => told++);
    expect(budget.ask(500)).toBe(true);
    expect(budget.ask(1)).toBe(false);
    budget.answered(500);
    expect([told, budget.ask(60), budget.ask(60), budget.usedBytes]).toEqual([1, true, false, 0]);
    budget.answered(60);
  });

  test('counts a frame until its last part is read', () => {
    const budget = new BufferBudget(100, () => undefined);
    const frame = new Frame(budget, 80, 2);
    expect([budget.usedBytes, budget.ask(30)]).toEqual([80, false]);
    frame.release();
    expect(budget.usedBytes).toBe(80);
    frame.release();
    expect([budget.usedBytes, budget.ask(30)]).toEqual([0, true]);
    expect(new Frame(budget, 0, 0)).toBeDefined();
    expect(budget.usedBytes).toBe(0);
  });
});

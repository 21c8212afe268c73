/** A transactional id by itself: its epochs to their end, and what retries come to. Java's order of epochs is the model. */
import { describe, expect, it } from 'vitest';
import { ErrorCodes } from '../../src/protocol/index.ts';
import { Transaction, type ProducerIdentity } from '../../src/testing/transaction.ts';

const lastEpoch = 32_767;
const timeoutMs = 60_000;
const somewhere = [['orders', 0]] as const;

function begun(epoch: number): Transaction {
  let nextId = 0n;
  const transaction = new Transaction('tx', () => nextId++);
  transaction.init(timeoutMs, undefined);
  transaction.producerEpoch = epoch;
  return transaction;
}

function identity({ producerId, producerEpoch }: Transaction): ProducerIdentity {
  return { producerId, producerEpoch };
}

/** Adds a partition and ends at once. */
function run(transaction: Transaction, bumps: boolean): void {
  transaction.add(identity(transaction), somewhere, 1);
  expect(transaction.end(identity(transaction), true, bumps)).toBeUndefined();
  transaction.complete();
}

describe('a transactional id', () => {
  it('takes a new producer id when InitProducerId has used up the epochs', () => {
    const transaction = begun(lastEpoch - 2);
    expect(transaction.init(timeoutMs, undefined)).toBe(0);
    expect(identity(transaction)).toEqual({ producerId: 0n, producerEpoch: lastEpoch - 1 });
    expect(transaction.init(timeoutMs, undefined)).toBe(0);
    expect(identity(transaction)).toEqual({ producerId: 1n, producerEpoch: 0 });
  });

  it('gives who asks again with the used-up epoch the new id that it has not heard of', () => {
    const transaction = begun(lastEpoch - 1);
    const usedUp = identity(transaction);
    expect(transaction.init(timeoutMs, usedUp)).toBe(0);
    expect(identity(transaction)).toEqual({ producerId: 1n, producerEpoch: 0 });
    expect(transaction.init(timeoutMs, usedUp)).toBe(0);
    expect(identity(transaction)).toEqual({ producerId: 1n, producerEpoch: 0 });
    expect(transaction.init(timeoutMs, { ...usedUp, producerEpoch: 5 })).toBe(ErrorCodes.PRODUCER_FENCED);
  });

  it('ends with the last epoch and goes on with a new id when every end raises it', () => {
    const transaction = begun(lastEpoch - 1);
    const usedUp = identity(transaction);
    transaction.add(usedUp, somewhere, 1);
    expect(transaction.end(usedUp, true, true)).toBeUndefined();
    // The marker is written with what this says, the answer with what comes next.
    expect(identity(transaction)).toEqual({ producerId: 0n, producerEpoch: lastEpoch });
    expect(transaction.next).toEqual({ producerId: 1n, producerEpoch: 0 });
    transaction.complete();
    expect(identity(transaction)).toEqual({ producerId: 1n, producerEpoch: 0 });
    expect(transaction.end(usedUp, true, true)).toBe(0);
    expect(transaction.end(usedUp, false, true)).toBe(ErrorCodes.INVALID_TXN_STATE);
    transaction.add(identity(transaction), somewhere, 1);
    expect(transaction.end(usedUp, true, true)).toBe(ErrorCodes.INVALID_PRODUCER_ID_MAPPING);
  });

  it('keeps its epoch through ends that do not raise it', () => {
    const transaction = begun(7);
    run(transaction, false);
    expect(identity(transaction).producerEpoch).toBe(7);
    expect(transaction.end(identity(transaction), true, false)).toBe(0);
    expect(transaction.end(identity(transaction), false, false)).toBe(ErrorCodes.INVALID_TXN_STATE);
  });

  it.each([false, true])('tells CONCURRENT_TRANSACTIONS while it ends (every end raises: %s)', (bumps) => {
    const transaction = begun(7);
    const before = identity(transaction);
    transaction.add(before, somewhere, 1);
    transaction.end(before, true, bumps);
    const now = identity(transaction);
    expect(transaction.isEnding).toBe(true);
    expect(transaction.init(timeoutMs, undefined)).toBe(ErrorCodes.CONCURRENT_TRANSACTIONS);
    expect(transaction.add(now, somewhere, 1)).toBe(ErrorCodes.CONCURRENT_TRANSACTIONS);
    expect(transaction.end(before, true, bumps)).toBe(ErrorCodes.CONCURRENT_TRANSACTIONS);
    expect(transaction.verify(now, somewhere[0])).toBe(ErrorCodes.CONCURRENT_TRANSACTIONS);
    transaction.complete();
    expect(transaction.state).toBe('CompleteCommit');
    expect(transaction.end(before, true, bumps)).toBe(0);
  });

  it.each([
    [false, ErrorCodes.PRODUCER_FENCED],
    [true, 0],
  ])('fences who was too slow (every end raises: %s), and lets go on only who can know', (bumps, code) => {
    const transaction = begun(7);
    const slow = identity(transaction);
    transaction.add(slow, somewhere, 1);
    transaction.fence(bumps);
    expect(identity(transaction).producerEpoch).toBe(8);
    expect(transaction.state).toBe('PrepareAbort');
    transaction.complete();
    expect(transaction.end(slow, true, bumps)).not.toBe(0);
    expect(transaction.init(timeoutMs, slow)).toBe(code);
  });

  it('refuses with UNKNOWN_SERVER_ERROR an epoch that Kafka has no answer for', () => {
    const transaction = begun(lastEpoch - 1);
    const older = { ...identity(transaction), producerEpoch: lastEpoch - 2 };
    expect(transaction.init(timeoutMs, older)).toBe(ErrorCodes.UNKNOWN_SERVER_ERROR);
    expect(identity(transaction).producerEpoch).toBe(lastEpoch - 1);
  });
});

/** The checker itself: it accepts what a group may do and finds each thing it must not. Source: group-history.ts. */
import { expect, test } from 'vitest';
import { checkHistory, type CommittedEntry, type ReadEntry } from './group-history.ts';

const log = [['a', 'b', 'c', 'd', 'e', 'f']];

function read(member: string, generation: number, offset: number, text: string): Omit<ReadEntry, 'time'> {
  return { kind: 'read', member, generation, joins: generation, partition: 0, offset, values: [...text] };
}

function committed(offset: number): Omit<CommittedEntry, 'time'> {
  return { kind: 'committed', partition: 0, offset };
}

function check(
  ...entries: (ReturnType<typeof read> | ReturnType<typeof committed>)[]
): ReturnType<typeof checkHistory> {
  return checkHistory(entries.map((entry) => `${JSON.stringify({ ...entry, time: 0 })}\n`).join(''), log);
}

test('records that were read and not committed may come again in the next generation', () => {
  const report = check(read('x', 1, 0, 'abcd'), committed(2), read('y', 2, 2, 'cdef'), committed(6));
  expect(report.anomalies).toEqual([]);
  expect(report).toMatchObject({ read: [6], committed: [6], repeated: 2 });
});

test.each([
  ['a record that was skipped', 'skipped from 1', [read('x', 1, 0, 'a'), read('y', 2, 2, 'c')]],
  [
    'a record that was skipped within a generation',
    'the position was 1',
    [read('x', 1, 0, 'a'), read('x', 1, 2, 'c')],
  ],
  [
    'a record that came twice in a generation',
    'the position was 1',
    [read('x', 1, 0, 'a'), read('x', 1, 0, 'a')],
  ],
  ['two owners', 'x reads this partition', [read('x', 1, 0, 'a'), read('y', 1, 1, 'b')]],
  ['a commit beyond the position', 'committed beyond', [read('x', 1, 0, 'a'), committed(2)]],
  ['a commit that went back', 'went back', [read('x', 1, 0, 'abc'), committed(3), committed(2)]],
  [
    'a committed record read again',
    'below the committed 3',
    [read('x', 1, 0, 'abc'), committed(3), read('y', 2, 2, 'c')],
  ],
  ['a foreign value', 'other values', [read('x', 1, 0, 'z')]],
] as const)('it finds %s', (_, words, entries) => {
  const { anomalies } = check(...entries);
  expect(anomalies).toHaveLength(1);
  expect(anomalies[0]).toContain(words);
});

/** The range assignor against the answers of Kafka's own class, and the properties any assignor must have.
 * The cases are in fixtures/assignors/range.json, which says how they were made.
 */
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  AssignorMember,
  AssignorTopic,
  TopicPartitions,
} from '../../../../src/client/group/assignor/assignor.ts';
import { rangeAssignor } from '../../../../src/client/group/assignor/range.ts';

type MemberCase = readonly [
  memberId: string,
  instanceId: string | null,
  rack: string | null,
  topics: readonly string[],
];

interface Case {
  readonly topics: readonly (readonly [name: string, racks: readonly string[]])[];
  readonly members: readonly MemberCase[];
  readonly assigned: readonly (readonly [
    memberId: string,
    topics: readonly (readonly [string, readonly number[]])[],
  ])[];
}

const fixture = new URL('../../../../fixtures/assignors/range.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(fixture, 'utf8')) as { readonly cases: readonly Case[] };

function member([memberId, instanceId, rack, topics]: MemberCase): AssignorMember {
  return { memberId, instanceId, rack, topics, owned: new Map(), generation: -1, userData: null };
}

function topicMap(topics: Case['topics']): Map<string, AssignorTopic> {
  return new Map(
    topics.map(([name, racks]) => [name, { name, partitionRacks: racks.map((letters) => [...letters]) }]),
  );
}

function plain(assigned: ReadonlyMap<string, TopicPartitions>): Case['assigned'] {
  const byName = (a: readonly [string, unknown], b: readonly [string, unknown]): number =>
    a[0] < b[0] ? -1 : 1;
  return [...assigned].map(([id, topics]) => [id, [...topics].sort(byName)] as const).sort(byName);
}

describe('the range assignor', () => {
  it(`gives what Java's gives in all ${cases.length} recorded groups`, () => {
    expect(cases.length).toBeGreaterThanOrEqual(400);
    for (const [index, { members, topics, assigned }] of cases.entries()) {
      const ours = plain(rangeAssignor.assign(members.map(member), topicMap(topics)));
      expect(ours, `case ${index}`).toEqual(assigned);
    }
  });

  it('decides the same whatever the order of members and topics', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...cases),
        fc.infiniteStream(fc.nat()),
        ({ members, topics, assigned }, keys) => {
          const shuffle = <T>(list: readonly T[]): T[] =>
            list
              .map((value) => [keys.next().value, value] as const)
              .sort((a, b) => a[0] - b[0])
              .map(([, value]) => value);
          const ours = rangeAssignor.assign(shuffle(members).map(member), topicMap(shuffle(topics)));
          expect(plain(ours)).toEqual(assigned);
        },
      ),
    );
  });

  it('gives the first members the extra partitions, where kafka-go gives them to later ones', () => {
    const two = [member(['a', null, null, ['t']]), member(['b', null, null, ['t']])];
    const assigned = rangeAssignor.assign(two, topicMap([['t', ['', '', '']]]));
    expect(plain(assigned)).toEqual([
      ['a', [['t', [0, 1]]]],
      ['b', [['t', [2]]]],
    ]);
  });

  it('spreads 213 partitions over 66 members by 3 or 4 each', () => {
    const members = Array.from({ length: 66 }, (_, index) => member([`m${index}`, null, null, ['t']]));
    const assigned = rangeAssignor.assign(members, topicMap([['t', Array.from({ length: 213 }, () => '')]]));
    const sizes = [...assigned.values()].map((topics) => topics.get('t')?.length);
    expect(sizes.filter((size) => size === 4)).toHaveLength(15);
    expect(sizes.filter((size) => size === 3)).toHaveLength(51);
  });
});

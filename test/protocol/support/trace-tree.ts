/** What tests ask of a trace. */
import { expect } from 'vitest';
import { leavesOf, type Trace, type TraceNode } from '../../../src/protocol/trace.ts';

/** Every node of a tree, parents first. */
export function flat(nodes: readonly TraceNode[]): TraceNode[] {
  return nodes.flatMap((node) => [node, ...flat(node.children ?? [])]);
}

/** Fails unless the leaves of each byte space lie one behind the other from its beginning to its end, and children
 * inside their parent.
 */
export function expectCover(trace: Trace, start: number = 0): void {
  const ends = trace.spaces.map((_, space) => (space === 0 ? start : 0));
  for (const { space, offset, length, path } of leavesOf(trace)) {
    if (offset !== ends[space]) expect.fail(`${path} begins at ${offset}, not at ${ends[space]}`);
    ends[space] = offset + length;
  }
  expect(ends).toEqual(trace.spaces.map(({ length }) => length));
  for (const parent of flat(trace.fields)) {
    let position = parent.offset;
    for (const child of parent.children ?? []) {
      if (child.space !== parent.space) continue;
      if (child.offset !== position)
        expect.fail(`${child.path} begins at ${child.offset}, not at ${position}`);
      position += child.length;
    }
    const isBranch = parent.children?.[0]?.space === parent.space;
    if (isBranch && position !== parent.offset + parent.length) expect.fail(`${parent.path} does not end`);
  }
}

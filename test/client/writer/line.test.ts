/** Who waits, and in which order. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Line } from '../../../src/client/writer/line.ts';

it('is an array to look at, whoever joins and leaves', () => {
  const step = fc.record({ joins: fc.boolean(), at: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const line = new Line<number>();
      const model: number[] = [];
      for (const [item, { joins, at }] of steps.entries()) {
        if (joins) {
          line.push(item);
          model.push(item);
        } else {
          const [leaver = -1] = model.splice(at % 3 === 0 ? at : 0, 1);
          line.remove(leaver);
        }
        expect([line.length, line.first, line.last]).toEqual([model.length, model[0], model.at(-1)]);
      }
    }),
  );
});

it('lets 200,000 leave in a moment', () => {
  const line = new Line<object>();
  for (let i = 0; i < 200_000; i++) line.push({});
  const startedMs = performance.now();
  for (let { first } = line; first !== undefined; first = line.first) line.remove(first);
  // Moving all the others up each time takes seconds.
  expect(performance.now() - startedMs).toBeLessThan(500);
  expect(line.length).toBe(0);
});

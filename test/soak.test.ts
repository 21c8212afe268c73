/** What a soak draws from its seed: the same each time, and as much as was asked for. The round itself runs in
 * integration/faults.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { planChaos } from '../tools/soak/chaos.ts';
import { randomFrom } from '../tools/soak/random.ts';

const measure = { kills: 6, pauses: 4, drops: 200 };

describe('the plan of a round', () => {
  it('is decided by the seed', () => {
    expect(planChaos(measure, randomFrom(7))).toEqual(planChaos(measure, randomFrom(7)));
    expect(planChaos(measure, randomFrom(7))).not.toEqual(planChaos(measure, randomFrom(8)));
  });

  it('has every trouble that was asked for, each within its bounds', () => {
    const { troubles, drops } = planChaos(measure, randomFrom(7));
    const absences = (kind: string): number[] =>
      troubles.filter((trouble) => trouble.kind === kind).map(({ awayMs }) => awayMs);
    expect(absences('kill')).toHaveLength(6);
    expect(Math.max(...absences('kill'))).toBeLessThanOrEqual(1_000);
    expect(absences('pause')).toHaveLength(4);
    expect(Math.min(...absences('pause'))).toBeGreaterThanOrEqual(2_000);
    expect(Math.max(...absences('pause'))).toBeLessThanOrEqual(8_000);
    expect(new Set(troubles.map(({ nodeId }) => nodeId))).toEqual(new Set([1, 2, 3]));
    expect(drops).toHaveLength(200);
    // The broker stores every one of them: it is the answer that is lost.
    expect(drops.filter(({ effect = true, outcome }) => !effect || outcome === undefined)).toEqual([]);
  });
});

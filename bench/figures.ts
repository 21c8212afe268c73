/** How the benchmarks sum up and judge what they measured. */

/** The middle one, the upper of two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** `median [least..most]`. */
export function spread(values: readonly number[], digits: number): string {
  const text = (value: number): string => value.toFixed(digits);
  return `${text(median(values))} [${text(Math.min(...values))}..${text(Math.max(...values))}]`;
}

/** The last cell of a line that has something to hold. */
export function verdict(holds: boolean): string {
  return holds ? 'holds' : '**no**';
}

/** Comparing long lists: `toEqual` on 100,000 entries takes its time and prints too much when it fails. */

/** undefined when both are the same, else where they part, in words. */
export function difference(got: readonly string[], expected: readonly string[]): string | undefined {
  const length = Math.max(got.length, expected.length);
  for (let index = 0; index < length; index++) {
    if (got[index] === expected[index]) continue;
    return `entry ${index}: got ${got[index]}, expected ${expected[index]} (${got.length} and ${expected.length} entries)`;
  }
  return undefined;
}

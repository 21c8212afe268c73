/** Which version of an API two sides speak: the highest that both know.
 * Does not talk to a broker; client/connection asks ApiVersions and keeps the ranges.
 * Source: KIP-35.
 */
import { ProtocolError } from '../errors.ts';
import type { Api, VersionRange } from './schema.ts';

/** The highest common version of our span of `api` and the broker's `range`, at most `cap`.
 * A version that is not final yet is never chosen. Throws a `ProtocolError` with code `UNSUPPORTED_VERSION` that names
 * both spans when there is none; `range` undefined means that the broker does not know the API.
 */
export function negotiate(
  api: Api<unknown, unknown>,
  range: VersionRange | undefined,
  cap: number = Infinity,
): number {
  const { min, max } = api.request.versions;
  const last = Math.min(api.unstable ? max - 1 : max, cap);
  const version = Math.min(last, range?.max ?? -1);
  if (range && version >= Math.max(min, range.min)) return version;
  const theirs = range ? `v${range.min} to v${range.max}` : 'no version at all';
  throw new ProtocolError(`${api.name}: we speak v${min} to v${last}, the broker ${theirs}`, {
    code: 'UNSUPPORTED_VERSION',
    api: api.name,
  });
}

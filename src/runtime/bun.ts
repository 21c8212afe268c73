/** The platform on Bun: it runs Node's modules, `onread` included.
 * Not an adapter of its own: `Bun.connect` is as fast within the noise, and pushes where this pulls.
 * Invariant: what node.ts promises holds here too; the transport contract runs on Bun.
 */
import type { Platform } from '../platform.ts';
import { nodePlatform } from './node.ts';

/** Sockets, clock and compressors of Bun. */
export const platform: Platform = /* @__PURE__ */ nodePlatform('bun');

/** The platform of the running runtime, for clusters that are not given one. Not for virtual tests.
 * Invariant: nothing else in this room names `#platform`.
 */
import { platform } from '#platform';
import type { Platform } from '../platform.ts';

/** The runtime's own sockets, clock, timers and random numbers. */
export const defaultPlatform: Platform = platform;

/** How much memory decoding takes: the largest buffer it asks for, and what its result holds.
 * Invariant: V8's layout of 64-bit Node, rounded up; what two values share is counted twice.
 */

/** The largest buffer that was made since the last `reset`. */
export interface BufferWatch {
  readonly largestBytes: number;
  reset(): void;
  /** Ends the watch. */
  [Symbol.dispose](): void;
}

/** Sees every `new Uint8Array(length)` and `new ArrayBuffer(length)` until it is disposed of. */
export function watchBuffers(): BufferWatch {
  const originals = { Uint8Array: globalThis.Uint8Array, ArrayBuffer: globalThis.ArrayBuffer };
  let largestBytes = 0;
  const construct = (target: never, args: unknown[], made: never): object => {
    const [length] = args;
    if (typeof length === 'number' && length > largestBytes) largestBytes = length;
    return Reflect.construct(
      target,
      args,
      made === watched.Uint8Array || made === watched.ArrayBuffer ? target : made,
    );
  };
  const watched = {
    Uint8Array: new Proxy(originals.Uint8Array, { construct }),
    ArrayBuffer: new Proxy(originals.ArrayBuffer, { construct }),
  };
  Object.assign(globalThis, watched);
  return {
    get largestBytes() {
      return largestBytes;
    },
    reset() {
      largestBytes = 0;
    },
    [Symbol.dispose]() {
      Object.assign(globalThis, originals);
    },
  };
}

/** Bytes of heap that a decoded value holds. Views count as such, not the bytes they show. */
export function heapBytes(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return value.length === 0 ? 0 : 24 + 2 * value.length;
    case 'bigint':
      return 24;
    case 'number':
      return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? 0 : 16;
    case 'object': {
      if (value === null) return 0;
      if (ArrayBuffer.isView(value)) return value.byteLength === 0 ? 0 : 112;
      let bytes = Array.isArray(value) ? 48 : 24;
      for (const key of Reflect.ownKeys(value)) {
        if (Array.isArray(value) && key === 'length') continue;
        bytes += 8 + heapBytes((value as Record<PropertyKey, unknown>)[key]);
      }
      return bytes;
    }
    default:
      return 0;
  }
}

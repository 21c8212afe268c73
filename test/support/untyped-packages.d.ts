/** Types of packages that have none: oracles of the codecs, which tests alone use. */

declare module 'lz4js' {
  /** A frame around `bytes`. */
  export function compress(bytes: Uint8Array): Uint8Array;
  /** What a frame holds; it may be more than `maxBytes`, and checksums are not verified. */
  export function decompress(frame: Uint8Array, maxBytes?: number): Uint8Array;
}

declare module 'snappyjs' {
  /** Raw snappy, without framing. */
  export function compress(bytes: Uint8Array): Uint8Array;
  /** What raw snappy holds. */
  export function uncompress(bytes: Uint8Array, maxBytes?: number): Uint8Array;
}

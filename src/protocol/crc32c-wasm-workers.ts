/** The folding of CRC-32C for Workers, which compile no bytes at run time: the module is imported as a file.
 * Elsewhere package.json names crc32c-wasm.ts instead. Source: tools/wasm/crc32c.wat.
 */
import compiled from './crc32c.wasm';

/** The module, compiled by whoever deployed it. */
export function crc32cModule(): object {
  return compiled;
}

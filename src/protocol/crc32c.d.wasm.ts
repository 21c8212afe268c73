/** What a bundler for Workers makes of crc32c.wasm: a compiled module. */
declare const compiled: object;
export { compiled as default };

/** The WebAssembly path of CRC-32C: that the committed module is what its source says, when it is made, that it agrees with
 * npm's crc-32 wherever input is cut, and what happens without WebAssembly.
 */
import oracle from 'crc-32/crc32c.js';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type * as checksum from '../../src/protocol/crc32c.ts';
import { outdatedModules } from '../../tools/wasm/main.ts';
import { buildPackage } from '../support/built-package.ts';

/** What there is to replace; `Module` compiles, `Instance` is one. */
interface WasmNames {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => object;
}

declare const WebAssembly: WasmNames;

const expected = (bytes: Uint8Array, seed = 0): number =>
  (oracle as { buf(bytes: Uint8Array, seed?: number): number }).buf(bytes, seed | 0) >>> 0;

const data = Uint8Array.from({ length: 400_000 }, (_, index) => Math.imul(index + 1, 0x9e37_79b1) >>> 23);
const chunk = 65_536;
/** Around the limits: the first size, turns of 64 bytes, pieces of 32 KiB of which the first has 4 bytes or more. */
const sizes = [
  4096, 4097, 4111, 4159, 4160, 5274, 5275, 5276, 5311, 5312, 5313, 8192, 10_550, 10_624, 32_767, 32_768,
  32_769, 32_770, 32_771, 32_772, 36_863, 36_864, 38_079, 38_080, 65_535, 65_536, 65_537, 70_848, 131_072,
  196_685, 399_900,
];

/** A module of its own, which has not seen an input yet. */
async function fresh(): Promise<typeof checksum> {
  vi.resetModules();
  return import('../../src/protocol/crc32c.ts');
}

/** Counts what is made of WebAssembly. */
function counted(real: WasmNames): { names: WasmNames; made: string[] } {
  const made: string[] = [];
  const counting = (name: keyof WasmNames): WasmNames['Instance'] =>
    class extends (real[name] as WasmNames['Instance']) {
      constructor(from: object) {
        super(from);
        made.push(name);
      }
    };
  return { names: { Module: counting('Module'), Instance: counting('Instance') }, made };
}

afterEach(() => vi.unstubAllGlobals());

test('the committed module is the compiled source', async () => {
  expect([...(await outdatedModules()).keys()]).toEqual([]);
});

describe('crc32c in WebAssembly', () => {
  let crc32c: typeof checksum.crc32c;
  let made: string[];

  beforeEach(async () => {
    const counting = counted(WebAssembly);
    vi.stubGlobal('WebAssembly', counting.names);
    made = counting.made;
    ({ crc32c } = await fresh());
  });

  test('is compiled by the first input of 4 KiB, and once', () => {
    crc32c(data.subarray(0, 4095));
    expect(made).toEqual([]);
    for (let call = 0; call < 3; call++) crc32c(data.subarray(call, call + 4096));
    expect(made).toEqual(['Module', 'Instance']);
  });

  test.each(sizes)('agrees with crc-32 at %d bytes, every alignment and some seeds', (size) => {
    for (let start = 0; start < 17; start++) {
      const bytes = data.subarray(start, start + size);
      expect(crc32c(bytes)).toBe(expected(bytes));
      for (const seed of [1, 0x8000_0000, 0xffff_ffff])
        expect(crc32c(bytes, seed)).toBe(expected(bytes, seed));
    }
    expect(made).toEqual(['Module', 'Instance']);
  });

  test('forgets what it was given before', () => {
    const zeros = new Uint8Array(5000);
    const want = expected(zeros);
    for (const before of [chunk, 4096, 9000]) {
      crc32c(data.subarray(0, before));
      expect(crc32c(zeros)).toBe(want);
    }
  });

  test('agrees with crc-32 wherever the bytes lie, whatever they are and came after', () => {
    fc.assert(
      fc.property(
        fc.nat(200_000),
        fc.integer({ min: 4096, max: 200_000 }),
        fc.nat(0xffff_ffff),
        (at, size, seed) => {
          const bytes = data.subarray(at, at + size);
          expect(crc32c(bytes, seed)).toBe(expected(bytes, seed));
        },
      ),
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4096, maxLength: 9000, size: 'max' }), (bytes) => {
        expect(crc32c(bytes)).toBe(expected(bytes));
      }),
    );
  });

  test('goes on from a seed at every split', () => {
    const bytes = data.subarray(3, 3 + 12_345);
    const whole = expected(bytes);
    for (let split = 0; split <= bytes.length; split++) {
      const parts = crc32c(bytes.subarray(split), crc32c(bytes.subarray(0, split)));
      if (parts !== whole) expect.fail(`split at ${split}: ${parts} instead of ${whole}`);
    }
  });

  test('reads bytes of shared memory', () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(10_000));
    bytes.set(data.subarray(0, 10_000));
    expect(crc32c(bytes)).toBe(expected(data.subarray(0, 10_000)));
  });
});

describe('crc32c without WebAssembly', () => {
  const refusing = (names: Partial<WasmNames>): WasmNames => ({ ...WebAssemblyNames, ...names });
  const WebAssemblyNames: WasmNames = { Module: WebAssembly.Module, Instance: WebAssembly.Instance };
  let attempts = 0;

  class Refused {
    constructor() {
      attempts++;
      throw new Error('not allowed here');
    }
  }

  test.each([
    ['is absent', undefined],
    ['does not compile', refusing({ Module: Refused })],
    ['does not start', refusing({ Instance: Refused })],
  ])('gives the same where it %s, and does not ask again', async (_, names) => {
    attempts = 0;
    vi.stubGlobal('WebAssembly', names);
    const { crc32c } = await fresh();
    for (const size of [4096, 10_000, 300_000]) {
      const bytes = data.subarray(5, 5 + size);
      expect(crc32c(bytes)).toBe(expected(bytes));
      expect(crc32c(bytes, 7)).toBe(expected(bytes, 7));
    }
    expect(attempts).toBe(names === undefined ? 0 : 1);
  });
});

test('the built package runs it in WebAssembly, and carries the module for Workers', async () => {
  const built = await buildPackage();
  try {
    const program = `import { readFileSync } from 'node:fs';
import { crc32c } from 'kafka-wire/protocol';
const { Instance } = WebAssembly;
let made = 0;
WebAssembly.Instance = class extends Instance {
  constructor(module) {
    super(module);
    made++;
  }
};
console.log(crc32c(new Uint8Array(100_000).fill(7)), made);
const home = new URL('node_modules/kafka-wire/', import.meta.url);
const { imports } = JSON.parse(readFileSync(new URL('package.json', home), 'utf8'));
const worker = new URL(imports['#crc32c-wasm'].workerd, home);
const [, file] = /from "(.*)"/.exec(readFileSync(worker, 'utf8'));
console.log(WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(new URL(file, worker)))).length);
`;
    const { stdout, stderr } = await built.start(program).ended;
    const crc = expected(new Uint8Array(100_000).fill(7));
    expect({ stdout, stderr }).toEqual({ stdout: `${crc} 1\n2\n`, stderr: '' });
  } finally {
    built.remove();
  }
}, 60_000);

/** Every message in every version, with random values and with hostile bytes. */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../src/errors.ts';
import type { Message } from '../../../src/protocol/schema.ts';
import type { TraceNode } from '../../../src/protocol/trace.ts';
import { factsOf, valuesOf } from './definitions.ts';
import {
  fromHex,
  messagesUnderTest,
  printed,
  restrictedTo,
  shortHeader,
  toHex,
  typedAs,
} from './java-fixtures.ts';

const { stackTraceLimit } = Error;
// Hundreds of thousands of errors are made here, and nobody reads their stacks.
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

/** Decodes, which must return a value or throw a ProtocolError; anything else fails the test. */
function tryDecode(message: Message<unknown>, bytes: Uint8Array, version: number): ProtocolError | undefined {
  try {
    message.decode(bytes, version);
    return undefined;
  } catch (error) {
    // USAGE marks what was no ProtocolError at its origin.
    if (error instanceof ProtocolError && error.code !== 'USAGE') return error;
    throw error;
  }
}

/** Every node of the message itself that begins with a length or count. */
function lengths(nodes: readonly TraceNode[]): TraceNode[] {
  return nodes.flatMap((node) => {
    const begins = /string|bytes|records|array/.test(node.kind) && !node.path.includes('tags[');
    // What lies in records and opaque bytes is not decoded.
    return [
      ...(begins ? [node] : []),
      ...(/bytes|records/.test(node.kind) ? [] : lengths(node.children ?? [])),
    ];
  });
}

/** The bytes with another length in front of a node. */
function withLength(bytes: Uint8Array, { kind, offset }: TraceNode, length: 'huge' | 'negative'): Uint8Array {
  const isCompact = kind.startsWith('compact');
  let size = kind === 'string' ? 2 : 4;
  if (isCompact) for (size = 1; (bytes[offset + size - 1] ?? 0) > 0x7f;) size++;
  const plain =
    kind === 'string' ? { huge: '7fff', negative: 'fffe' } : { huge: '7fffffff', negative: 'fffffffe' };
  const replacement = isCompact ? { huge: 'ffffffff0f', negative: '8080808008' } : plain;
  return fromHex(
    toHex(bytes.subarray(0, offset)) + replacement[length] + toHex(bytes.subarray(offset + size)),
  );
}

describe.each(messagesUnderTest())('$name', ({ message, definition, fixtures }) => {
  const full = fixtures.filter((fixture) => fixture.case === 'full');

  test('any value comes back from its bytes, in every version', () => {
    const facts = factsOf(definition);
    for (const { version, bytes } of full) {
      const like = message.decode(bytes, version);
      const values = valuesOf(facts, version).map(shortHeader);
      fc.assert(
        fc.property(values, (value) => {
          const encoded = message.encode(typedAs(value, like) as object, version);
          const decoded = message.decode(encoded, version, { strict: true });
          expect(printed(restrictedTo(value, decoded))).toEqual(printed(value));
          expect(toHex(message.encode(decoded as object, version))).toBe(toHex(encoded));
        }),
        { numRuns: 10 },
      );
    }
  });

  test('bytes cut off anywhere are a ProtocolError', () => {
    for (const { version, bytes } of full) {
      for (let length = 0; length < bytes.length; length++) {
        if (tryDecode(message, bytes.subarray(0, length), version)) continue;
        expect.fail(`v${version}, the first ${length} of ${bytes.length} bytes were accepted`);
      }
    }
  });

  test('a length that is huge or negative is a ProtocolError, wherever it stands', () => {
    for (const { version, bytes } of full) {
      for (const node of lengths(message.trace(bytes, version).fields)) {
        for (const length of ['huge', 'negative'] as const) {
          const error = tryDecode(message, withLength(bytes, node, length), version);
          expect(error, `v${version} ${node.path} ${length}`).toBeInstanceOf(ProtocolError);
        }
      }
    }
  });

  test('random and mutated bytes are a value or a ProtocolError, and trace says the same', () => {
    const sample = fc.constantFrom(...full);
    const mutation = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    const hostile = fc.oneof(
      fc.tuple(sample, fc.uint8Array({ maxLength: 100 })),
      fc.tuple(sample, mutation).map(([fixture, changes]) => {
        const bytes = fixture.bytes.slice();
        for (const [position, value] of changes) bytes[position % bytes.length] = value;
        return [fixture, bytes] as const;
      }),
    );
    fc.assert(
      fc.property(hostile, ([{ version }, bytes]) => {
        const error = tryDecode(message, bytes, version);
        const trace = message.trace(bytes, version);
        // What decodes may hold damaged records all the same.
        const isInside = error === undefined && /records\[/i.test(trace.error?.path ?? '');
        if (!isInside) expect(trace.error?.message).toBe(error?.message);
      }),
      { numRuns: 300 },
    );
  });
});

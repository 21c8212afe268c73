/** Varints and varlongs: shortest form, exactness up to 2^53-1, and what Java refuses. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import {
  uvarintLength,
  VarintReader,
  varintLength,
  varlongLength,
  writeUvarint,
  writeVarint,
  writeVarlong,
} from '../../src/protocol/varint.ts';

const int32 = fc.oneof(fc.integer(), fc.integer({ min: -70, max: 70 }));
const safe = fc.oneof(fc.maxSafeInteger(), int32);

/** The shortest zigzag form, by the definition and with bigint. */
function reference(value: number): number[] {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes: number[] = [];
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

const reader = (...bytes: number[]): VarintReader => new VarintReader(Uint8Array.from(bytes));

describe('writing', () => {
  test('a varint takes its shortest form and the announced length', () => {
    fc.assert(
      fc.property(int32, (value) => {
        const target = new Uint8Array(8).fill(0xee);
        const end = writeVarint(target, 2, value);
        expect([...target.subarray(2, end)]).toEqual(reference(value));
        expect(varintLength(value)).toBe(end - 2);
        expect(target[end]).toBe(0xee);
      }),
    );
  });

  test('a varlong of any safe integer takes its shortest form and the announced length', () => {
    fc.assert(
      fc.property(safe, (value) => {
        const target = new Uint8Array(12).fill(0xee);
        const end = writeVarlong(target, 1, value);
        expect([...target.subarray(1, end)]).toEqual(reference(value));
        expect(varlongLength(value)).toBe(end - 1);
        expect(target[end]).toBe(0xee);
      }),
    );
  });

  test.each([
    [0, 1],
    [-1, 1],
    [-64, 1],
    [63, 1],
    [64, 2],
    [-65, 2],
    [2 ** 31 - 1, 5],
    [-(2 ** 31), 5],
    [2 ** 31, 5],
    [2 ** 34 - 1, 5],
    [2 ** 34, 6],
    [Number.MAX_SAFE_INTEGER, 8],
    [Number.MIN_SAFE_INTEGER, 8],
  ])('%d takes %d bytes', (value, bytes) => {
    expect(varlongLength(value)).toBe(bytes);
  });

  test.each([
    [0, 1],
    [127, 1],
    [128, 2],
    [16383, 2],
    [16384, 3],
    [2097151, 3],
    [2097152, 4],
    [268435455, 4],
    [268435456, 5],
    [0xffff_ffff, 5],
  ])('%d takes %d bytes unsigned', (value, bytes) => {
    const target = new Uint8Array(8).fill(0xee);
    expect(uvarintLength(value)).toBe(bytes);
    expect(writeUvarint(target, 1, value)).toBe(1 + bytes);
    expect(target[1 + bytes]).toBe(0xee);
    expect(new VarintReader(target, 1).uvarint()).toBe(value);
  });
});

describe('reading', () => {
  test('gives what was written, one after another', () => {
    fc.assert(
      fc.property(fc.array(int32), fc.array(safe), (varints, varlongs) => {
        const target = new Uint8Array(varints.length * 5 + varlongs.length * 16);
        let position = 0;
        for (const value of varints) position = writeVarint(target, position, value);
        for (const value of varlongs) position = writeVarlong(target, position, value);
        for (const value of varlongs) position = writeVarlong(target, position, value);
        const reader = new VarintReader(target, 0, position);
        expect(varints.map(() => reader.varint())).toEqual(varints);
        expect(varlongs.map(() => reader.varlong())).toEqual(varlongs);
        expect(varlongs.map(() => Number(reader.varlongBigInt()))).toEqual(varlongs);
        expect(reader.position).toBe(position);
      }),
    );
  });

  test('a varlong beyond 2^53-1 is exact as a bigint and never safe as a number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
        const bytes: number[] = [];
        for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
        bytes.push(Number(rest));
        expect(reader(...bytes).varlongBigInt()).toBe(value);
        const number = reader(...bytes).varlong();
        if (Number.isSafeInteger(Number(value))) expect(number).toBe(Number(value));
        else expect(Number.isSafeInteger(number)).toBe(false);
      }),
    );
  });

  test('padding is accepted, surplus bits of the last byte are dropped, as in Java', () => {
    expect(reader(0x82, 0x80, 0x80, 0x80, 0x00).varint()).toBe(1);
    expect(reader(0x82, 0x80, 0x80, 0x80, 0x70).varint()).toBe(1);
    const padding = [0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80];
    expect(reader(...padding, 0x00).varlong()).toBe(1);
    expect(reader(...padding, 0x7e).varlong()).toBe(1);
    expect(reader(...padding, 0x7e).varlongBigInt()).toBe(1n);
  });

  test('one byte too many is refused', () => {
    const tooLong = Array.from({ length: 11 }, () => 0x80);
    expect(() => reader(...tooLong).uvarint()).toThrow(/varint of more than 5 bytes/);
    expect(() => reader(...tooLong).varint()).toThrow(/varint of more than 5 bytes/);
    expect(() => reader(...tooLong).varlong()).toThrow(/varlong of more than 10 bytes/);
    expect(() => reader(...tooLong).varlongBigInt()).toThrow(/varlong of more than 10 bytes/);
  });

  test('nothing at or beyond the end is read', () => {
    const bytes = Uint8Array.of(0x80, 0x80, 0x01);
    for (const read of ['uvarint', 'varint', 'varlong', 'varlongBigInt'] as const) {
      expect(() => new VarintReader(bytes, 0, 2)[read]()).toThrow(ProtocolError);
      expect(() => new VarintReader(bytes, 3)[read]()).toThrow(/end in the middle/);
    }
  });
});

/** Explains bytes: the same walk as decoding, keeping where every field lies.
 * Record batches are one opaque leaf. Slow and for people: nothing on a hot path comes here.
 * Invariant: it never throws; what cannot be decoded ends in `error`, and the tree up to there is kept.
 */
import { ProtocolError } from '../errors.ts';
import { compileDecode, elementOf, readCount, readPresence, walkTags } from './compile-decode.ts';
import {
  isArrayKind,
  leastBytes,
  located,
  Located,
  stepsOf,
  within,
  type Edition,
  type Shape,
  type Table,
} from './plan.ts';
import { ByteReader } from './reader.ts';

/** One field, where it lies and what it says. */
export interface TraceNode {
  /** Such as `responses[0].partitions[3].records`; a struct's tagged fields are `tags`, unknown ones `tags[7]`. */
  readonly path: string;
  /** Such as `int32`, `compact string`, `array`, `struct`, `tags`. */
  readonly kind: string;
  /** 0: the traced bytes. */
  readonly space: number;
  /** First byte, counted from the beginning of the traced bytes. */
  readonly offset: number;
  /** Bytes, those of a length, count or tag in front included. */
  length: number;
  /** What the field says; absent for structs and arrays, which have children, unless they are null. */
  value?: unknown;
  children?: TraceNode[];
}

/** A message explained. */
export interface Trace {
  readonly fields: TraceNode[];
  /** Why the bytes end where the tree ends. */
  readonly error?: ProtocolError;
}

/** How to look into compressed record batches. */
export interface TraceOptions {
  /** Decompresses at once, or returns undefined to leave an opaque leaf. Record batches are opaque for now. */
  readonly inflate?: (codec: number, bytes: Uint8Array, maxBytes: number) => Uint8Array | undefined;
}

/** Explains `bytes` as the table at a version. */
export function traceTable(table: Table, edition: Edition, bytes: Uint8Array, api: string): Trace {
  const fields: TraceNode[] = [];
  try {
    new Tracer(bytes, edition).struct(table, '', fields);
    return { fields };
  } catch (error) {
    return { fields, error: located(error, api, edition.version) };
  }
}

class Tracer {
  readonly #reader: ByteReader;
  readonly #edition: Edition;

  constructor(bytes: Uint8Array, edition: Edition) {
    this.#reader = new ByteReader(bytes);
    this.#edition = edition;
  }

  /** Adds the nodes of a struct's fields. */
  struct(table: Table, path: string, nodes: TraceNode[]): void {
    const prefix = path === '' ? '' : `${path}.`;
    const steps = stepsOf(table, this.#edition).filter((step) => step.present);
    for (const step of steps) {
      if (step.tag === undefined) this.#value(step, prefix + step.name, nodes);
    }
    if (!this.#edition.flexible) return;
    this.#node(`${prefix}tags`, 'tags', nodes, (node) => {
      const children: TraceNode[] = [];
      node.children = children;
      walkTags(this.#reader, (tag, size) => {
        const step = steps.find((candidate) => candidate.tag === tag);
        if (step) return this.#value(step, prefix + step.name, children);
        this.#node(`${prefix}tags[${tag}]`, 'bytes', children, (unknown) => {
          unknown.value = this.#reader.raw(size);
        });
      });
    });
  }

  #value(shape: Shape, path: string, nodes: TraceNode[]): void {
    const { kind, nullable } = shape;
    this.#node(path, kindName(shape), nodes, (node) => {
      if (isArrayKind(kind)) node.value = this.#elements(shape, kind[0], node);
      else if (typeof kind === 'string') node.value = compileDecode(shape, this.#edition)(this.#reader);
      else if (nullable && !readPresence(this.#reader)) node.value = null;
      else this.struct(kind, path, (node.children = []));
    });
  }

  /** Adds an array's elements to its node; null for an array that is null. */
  #elements(shape: Shape, kind: Shape['kind'], node: TraceNode): null | undefined {
    const element = elementOf(shape, kind);
    const count = readCount(this.#reader, shape, leastBytes(element, this.#edition));
    if (count < 0) return null;
    const children: TraceNode[] = [];
    node.children = children;
    for (let index = 0; index < count; index++) this.#value(element, `${node.path}[${index}]`, children);
    return undefined;
  }

  /** Adds a node, fills it, and sets its length even if that fails half-way. */
  #node(path: string, kind: string, nodes: TraceNode[], fill: (node: TraceNode) => void): void {
    const node: TraceNode = { path, kind, space: 0, offset: this.#reader.position, length: 0 };
    nodes.push(node);
    try {
      fill(node);
    } catch (error) {
      throw error instanceof Located ? error : within(error, path);
    } finally {
      node.length = this.#reader.position - node.offset;
    }
  }
}

function kindName({ kind, compact }: Shape): string {
  if (kind === 'bigint') return 'int64';
  if (typeof kind === 'object' && !isArrayKind(kind)) return 'struct';
  const name = typeof kind === 'string' ? kind : 'array';
  return compact && /string|bytes|records|array/.test(name) ? `compact ${name}` : name;
}

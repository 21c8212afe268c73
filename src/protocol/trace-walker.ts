/** Walks bytes by a plan and notes where every field lies: the recursion that compile-decode.ts compiles, taken by hand.
 * Knows messages only; what lies inside `bytes` and `records` fields is looked into by the `inside` it is given.
 * Invariant: every byte it passes lies in exactly one leaf, and it fails where decode fails, with the same error.
 */
import {
  checkCount,
  compileDecode,
  enterTag,
  leaveTag,
  lengthReader,
  PRIMITIVES,
  readTag,
  readTagCount,
} from './compile-decode.ts';
import { within, type Plan, type Step } from './plan.ts';
import { ByteReader } from './reader.ts';
import type { Message } from './schema.ts';

/** One field, where it lies and what it says. A leaf of its space is a node without children, or with children in
 * another space.
 */
export interface TraceNode {
  /** Such as `responses[0].partitions[3].records`; lengths and the like are `topics.length`, `tags.count`,
   * `tags[7].size`, `inner.present`.
   */
  path: string;
  /** Such as `int32`, `compact string`, `array`, `struct`, `tags`, `record batch`. */
  kind: string;
  /** Index of the bytes in `Trace.spaces`. */
  space: number;
  /** First byte, counted from the beginning of the space. */
  offset: number;
  /** Bytes, the length in front of a string or bytes included. */
  length: number;
  /** What the field says; absent for what has children, unless that is null, and for what could not be read. */
  value?: unknown;
  children?: TraceNode[];
  /** Why bytes that should hold a message or records were not looked into, or why they end early. */
  note?: string;
}

/** A `bytes` or `records` field that was just read. */
export interface OpaqueField {
  /** Of the message that the field belongs to, such as `JoinGroupRequest`. */
  readonly message: string;
  /** Undefined for an element of an array. */
  readonly name: string | undefined;
  readonly kind: string;
  readonly value: Uint8Array;
  /** The structs around the field, innermost last, as far as they are read. */
  readonly scope: readonly Readonly<Record<string, unknown>>[];
}

/** What lies in a field; undefined if nobody knows. */
export type Inside = (field: OpaqueField) => ((walker: TraceWalker, path: string) => void) | undefined;

/** Goes through one or more byte spaces; `nodes` is where the next node is put. */
export class TraceWalker {
  readonly spaces: Uint8Array[];
  reader: ByteReader;
  nodes: TraceNode[] = [];
  /** First thing that is wrong inside records; the bytes behind it can still be read. */
  damage:
    | { readonly error: unknown; readonly path: string; readonly leaf: TraceNode | undefined }
    | undefined;
  /** The leaf that could not be read. */
  failed: TraceNode | undefined;
  readonly #inside: Inside | undefined;
  readonly #scope: Record<string, unknown>[] = [];
  #message = '';
  #space = 0;

  constructor(bytes: Uint8Array, start: number, inside?: Inside) {
    this.spaces = [bytes];
    this.reader = new ByteReader(bytes, start);
    this.#inside = inside;
  }

  /** A node without children. */
  leaf<T>(path: string, kind: string, read: (reader: ByteReader) => T): T {
    const node = this.#open(path, kind);
    try {
      const value = read(this.reader);
      node.value = value;
      return value;
    } catch (error) {
      this.failed ??= node;
      throw error;
    } finally {
      node.length = this.reader.position - node.offset;
    }
  }

  /** A node whose children are what `body` reads. */
  branch<T>(path: string, kind: string, body: (node: TraceNode) => T): T {
    const node = this.#open(path, kind);
    const siblings = this.nodes;
    this.nodes = node.children = [];
    try {
      return body(node);
    } finally {
      node.length = this.reader.position - node.offset;
      this.nodes = siblings;
    }
  }

  /** Puts what `body` reads from the last `size` bytes of a leaf in its place, behind what is then its length.
   * If `body` throws, the leaf stays one, with a note.
   */
  openLeaf(leaf: TraceNode, size: number, lengthKind: string, body: () => void): void {
    const { reader, nodes, failed } = this;
    const { path, space, offset } = leaf;
    const prefix = leaf.length - size;
    const length: TraceNode = {
      path: `${path}.length`,
      kind: lengthKind,
      space,
      offset,
      length: prefix,
      value: size,
    };
    this.nodes = prefix > 0 ? [length] : [];
    this.reader = new ByteReader(reader.bytes, offset + prefix, offset + leaf.length);
    try {
      body();
      this.rest(`${path}.surplus`);
      leaf.children = this.nodes;
      delete leaf.value;
    } catch (error) {
      this.failed = failed;
      leaf.note = noteOf(error);
    } finally {
      this.reader = reader;
      this.nodes = nodes;
    }
  }

  /** Reads what `body` reads as if the bytes ended at `end`. */
  limit(end: number, body: () => void): void {
    const { reader } = this;
    const outer = reader.end;
    reader.end = end;
    try {
      body();
    } finally {
      reader.end = outer;
    }
  }

  /** Reads `bytes` as a space of their own, the children of `leaf`. */
  openSpace(leaf: TraceNode, bytes: Uint8Array, body: () => void): void {
    const { reader, nodes } = this;
    const space = this.#space;
    this.#space = this.spaces.push(bytes) - 1;
    this.reader = new ByteReader(bytes);
    this.nodes = leaf.children = [];
    try {
      body();
    } finally {
      this.#space = space;
      this.reader = reader;
      this.nodes = nodes;
    }
  }

  /** A leaf of all bytes that are left; none if there are none. */
  rest(path: string, kind = 'bytes'): TraceNode | undefined {
    return this.reader.remaining === 0 ? undefined : this.all(path, kind);
  }

  /** A leaf of all bytes that are left, even if there are none. */
  all(path: string, kind: string): TraceNode {
    const node = this.#open(path, kind);
    node.value = this.reader.raw(this.reader.remaining);
    node.length = this.reader.position - node.offset;
    return node;
  }

  /** The fields of a message, as nodes beside each other. */
  message({ name, plan }: Message<unknown>, version: number, path: string): void {
    const { steps = [], compact } = plan(version);
    const outer = this.#message;
    this.#message = name;
    try {
      this.fields(steps, compact, path);
    } finally {
      this.#message = outer;
    }
  }

  /** Notes what is wrong inside records, with the leaf that shows it; the first such thing counts. */
  damaged(path: string, error: unknown, leaf: TraceNode | undefined = this.nodes.at(-1)): void {
    this.damage ??= { error, path, leaf };
  }

  /** A value as the plan says; what the version lacks is not in the result. */
  walk(plan: Plan, path: string): unknown {
    const { kind, element, steps } = plan;
    if (element) return this.#array(plan, element, path);
    if (steps) return this.branch(path, 'struct', (node) => this.#nullableStruct(plan, steps, path, node));
    const value = this.leaf(path, kindName(plan), PRIMITIVES[kind] ?? compileDecode(plan));
    if (value instanceof Uint8Array && value.length > 0) this.#look(plan, path, value);
    return value;
  }

  /** The fields of a struct and its tags, as nodes beside each other. */
  fields(steps: readonly Step[], isFlexible: boolean, path: string): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    this.#scope.push(value);
    let place = '';
    try {
      for (const step of steps) {
        const { name, present, tag } = step;
        if (!present || tag !== undefined) continue;
        place = name;
        value[name] = this.walk(step, join(path, name));
      }
    } catch (error) {
      this.#scope.pop();
      throw within(error, place);
    }
    try {
      if (isFlexible) this.#tags(steps, path, value);
    } finally {
      this.#scope.pop();
    }
    return value;
  }

  #look(plan: Plan, path: string, value: Uint8Array): void {
    const { kind, name } = plan;
    const look = this.#inside?.({ message: this.#message, name, kind, value, scope: this.#scope });
    const leaf = this.nodes.at(-1);
    if (look && leaf) this.openLeaf(leaf, value.length, lengthKind(plan), () => look(this, path));
  }

  #open(path: string, kind: string): TraceNode {
    const node: TraceNode = { path, kind, space: this.#space, offset: this.reader.position, length: 0 };
    this.nodes.push(node);
    return node;
  }

  #nullableStruct(
    { nullable, compact, tag }: Plan,
    steps: readonly Step[],
    path: string,
    node: TraceNode,
  ): unknown {
    const isTagged = tag !== undefined;
    const kind = isTagged ? 'uvarint' : 'int8';
    if (nullable && !this.leaf(`${path}.present`, kind, (reader) => reader.isPresent(isTagged)))
      return (node.value = null);
    return this.fields(steps, compact, path);
  }

  #array(plan: Plan, element: Plan, path: string): unknown {
    return this.branch(path, kindName(plan), (node) => {
      const readLength = lengthReader(plan, (reader, count, at) => {
        checkCount(reader, count, element.least, at);
        return count;
      });
      const count = this.leaf(`${path}.length`, lengthKind(plan), readLength) as number | null;
      if (count === null) return (node.value = null);
      const values: unknown[] = [];
      try {
        while (values.length < count) values.push(this.walk(element, `${path}[${values.length}]`));
      } catch (error) {
        throw within(error, values.length);
      }
      return values;
    });
  }

  #tags(steps: readonly Step[], path: string, value: Record<string, unknown>): void {
    const tags = join(path, 'tags');
    let place = 'tags';
    const body = (): void => {
      let left = this.leaf(`${tags}.count`, 'uvarint', readTagCount);
      const { reader } = this;
      const { end } = reader;
      for (let tag = -1; left > 0; left--) {
        const previous = tag;
        tag = this.leaf(`${tags}.tag`, 'uvarint', () => readTag(reader, previous));
        const step = steps.find((each) => each.present && each.tag === tag);
        const name = step ? join(path, step.name) : `${tags}[${tag}]`;
        const last = this.nodes.at(-1);
        if (last) last.path = `${name}.tag`;
        this.leaf(`${name}.size`, 'uvarint', enterTag);
        place = step?.name ?? place;
        if (step) value[place] = this.walk(step, name);
        else this.leaf(name, 'bytes', (each) => each.raw(each.remaining));
        place = 'tags';
        leaveTag(reader, tag, end);
      }
    };
    try {
      this.branch(tags, 'tags', body);
    } catch (error) {
      throw within(error, place);
    }
  }
}

/** The message of an error, for a note. */
export function noteOf(error: unknown): string {
  const { cause = error } = error as { cause?: unknown };
  return cause instanceof Error ? cause.message : String(cause);
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

const isPrefixed = (kind: string): boolean =>
  kind === 'string' || kind === 'bytes' || kind === 'records' || kind === 'array';

function kindName({ kind, compact }: Plan): string {
  if (kind === 'bigint') return 'int64';
  return compact && isPrefixed(kind) ? `compact ${kind}` : kind;
}

function lengthKind({ compact }: Plan): string {
  return compact ? 'uvarint' : 'int32';
}

/** The tree of an explanation as lines: name, `@offset +length`, the bytes in hex, and what they say.
 * Not here: JSON (json.ts), one line a piece (heading.ts).
 * Invariant: lines are made one at a time, whatever the tree's size. Offsets in inflated bytes begin with `#space`.
 */
import type { TraceNode } from 'kafka-wire/protocol';
import type { Explanation } from '../explanation.ts';
import type { TreeOptions } from './style.ts';
import { shownHex, shownValue } from './values.ts';

const MAX_NAME_WIDTH = 40;
const HEX_WIDTH = 24;
/** Nodes looked at for the width of the name column. */
const MEASURED_NODES = 400;

/** The lines of a tree, without line ends. `base` is what offsets of the first space count from. */
export function* treeLines(
  { fields, spaces }: Explanation,
  base: number,
  options: TreeOptions,
): Generator<string> {
  const width = nameWidth(fields, options);
  const digits = String(base + (spaces[0]?.length ?? 0)).length;
  const pending = fields.map((node) => ({ node, level: 0, parent: '' })).toReversed();
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { node, level, parent } = next;
    const name = `${'  '.repeat(level)}${nameOf(node.path, parent)}`;
    const children = childrenOf(node, level, options);
    yield lineOf(node, name, children === undefined, { width, digits, base, spaces, options });
    for (let i = (children?.length ?? 0) - 1; i >= 0; i--) {
      const child = children?.[i];
      if (child) pending.push({ node: child, level: level + 1, parent: node.path });
    }
  }
}

interface Layout {
  readonly width: number;
  readonly digits: number;
  readonly base: number;
  readonly spaces: readonly Uint8Array[];
  readonly options: TreeOptions;
}

/** Children that are shown; undefined for a leaf. */
function childrenOf(
  node: TraceNode,
  level: number,
  { depth, withRecords }: TreeOptions,
): readonly TraceNode[] | undefined {
  const { children, path } = node;
  if (!children) return undefined;
  if (level + 1 >= depth || (!withRecords && /(^|\.)records\[\d+\]\.records$/.test(path))) return [];
  return children;
}

/** Holds across spaces: a compressed payload is a leaf whose children lie elsewhere. */
function lineOf(node: TraceNode, name: string, isLeaf: boolean, layout: Layout): string {
  const { options, spaces, digits, base } = layout;
  const { colours, isFull } = options;
  const { space, offset, length, note } = node;
  const where =
    space === 0 ? `@${base + offset}`.padEnd(digits + 1) : `#${space}@${offset}`.padEnd(digits + 1);
  const place = colours.dim(`${where} +${String(length).padEnd(digits)}`);
  const start = `${name.padEnd(layout.width)} ${place}`;
  const said = note === undefined ? '' : ` ${colours.yellow(`(${note})`)}`;
  const inner = node.children?.[0];
  const isOutside = inner !== undefined && inner.space !== space;
  const value = shownValue(node, isFull);
  if (!isLeaf && !isOutside && node.value === undefined)
    return `${start} ${colours.dim(summaryOf(node))}${said}`;
  const hex = shownHex(spaces[space] ?? new Uint8Array(0), offset, length, isFull);
  const equals = value === '' ? '' : ` = ${colours.green(value)}`;
  const opened = isOutside
    ? colours.dim(` inflated to ${spaces[inner.space]?.length ?? 0} bytes, #${inner.space}`)
    : '';
  const shown = equals === '' && opened === '' && said === '' ? hex : hex.padEnd(HEX_WIDTH);
  return `${start} ${colours.cyan(shown)}${equals}${opened}${said}`;
}

function summaryOf({ kind, children, path }: TraceNode): string {
  if (!kind.endsWith('array')) return kind;
  const count = children?.find((child) => child.path === `${path}.length`)?.value;
  return typeof count === 'number' ? `${kind} of ${count}` : kind;
}

function nameOf(path: string, parent: string): string {
  if (parent !== '' && path.startsWith(parent)) return path.slice(parent.length).replace(/^\./, '');
  return path;
}

function nameWidth(fields: readonly TraceNode[], options: TreeOptions): number {
  let width = 8;
  let measured = 0;
  const measure = (nodes: readonly TraceNode[], level: number, parent: string): void => {
    for (const node of nodes) {
      if (++measured > MEASURED_NODES) return;
      width = Math.max(width, 2 * level + nameOf(node.path, parent).length);
      measure(childrenOf(node, level, options) ?? [], level + 1, node.path);
    }
  };
  measure(fields, 0, '');
  return Math.min(width, MAX_NAME_WIDTH);
}

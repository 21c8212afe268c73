/** Prints for people: a heading a piece, its tree below, its damage, and at the end what was found in all.
 * With `isTree` false only headings and damage.
 */
import { baseOf, damageText, faultText, heading, totalsText } from './heading.ts';
import type { Printer } from './printer.ts';
import type { TreeOptions } from './style.ts';
import { treeLines } from './tree.ts';

/** The printer for people. */
export function textPrinter(options: TreeOptions, isTree: boolean): Printer {
  const { colours } = options;
  return {
    begin: () => [],
    *piece(explained, index) {
      const { explanation, piece } = explained;
      const base = baseOf(piece);
      yield `${heading(explained, index, colours)}\n`;
      if (isTree) for (const line of treeLines(explanation, base, options)) yield `  ${line}\n`;
      for (const damage of explanation.damages) yield `  ${damageText(damage, base, colours)}\n`;
      if (isTree) yield '\n';
    },
    *fault(fault) {
      yield `${faultText(fault, colours)}\n`;
    },
    *end(totals, notes) {
      for (const note of notes) yield `${colours.dim(note)}\n`;
      yield `${totals.damaged > 0 ? colours.red(totalsText(totals)) : totalsText(totals)}\n`;
    },
  };
}

/** How generated files look: comments, interfaces and tables, and the project's own formatter behind them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, type FormatConfig } from 'oxfmt';
import { repositoryRoot } from '../kafka/cache.ts';
import type { Struct } from './tables.ts';

type Format = FormatConfig & { readonly printWidth: number };

let known: Format | undefined;

function formatOptions(): Format {
  if (known) return known;
  const text = readFileSync(join(repositoryRoot(), '.oxfmtrc.json'), 'utf8');
  const { ignorePatterns: _, ...options } = JSON.parse(text) as Format;
  return (known = options);
}

/** The text as the formatter leaves it. */
export async function formatted(file: string, text: string): Promise<string> {
  const { code, errors } = await format(file, text, formatOptions());
  if (errors.length > 0) throw new Error(`${file}: ${errors.map(({ message }) => message).join(', ')}`);
  return code;
}

/** Whether the formatter leaves a line in one piece. */
export function fits(line: string): boolean {
  return line.length <= formatOptions().printWidth;
}

/** A file's first comment: paragraphs, each beginning on a line of its own. */
export function header(...paragraphs: readonly string[]): string {
  const [first = '', ...others] = paragraphs.filter(Boolean).map((text) => wrapped(text, ' * '));
  return [first.replace(/^ \* /, '/** '), ...others, ' */'].join('\n');
}

/** A doc comment, on one line if it fits. */
export function comment(text: string, indent: string): string {
  const single = `${indent}/** ${text} */`;
  if (fits(single)) return single;
  return `${wrapped(text, `${indent} * `).replace(`${indent} * `, `${indent}/** `)}\n${indent} */`;
}

function wrapped(text: string, prefix: string): string {
  const { printWidth } = formatOptions();
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && prefix.length + line.length + 1 + word.length > printWidth) {
      lines.push(line);
      line = '';
    }
    line = line ? `${line} ${word}` : word;
  }
  return [...lines, line].map((each) => prefix + each).join('\n');
}

/** The interface of a struct, its fields with their docs. */
export function printInterface({ name, about, rows }: Struct): string {
  const lines = rows.flatMap((row) => [
    ...(row.doc ? [comment(row.doc, '  ')] : []),
    `  ${row.name}: ${row.type};`,
  ]);
  return `${comment(about, '')}\nexport interface ${name} {${block(lines)}}`;
}

/** The table of a struct. */
export function printTable({ name, table, rows }: Struct): string {
  return `const ${table}: Fields<${name}> = {${block(rows.map((row) => `  ${row.name}: ${row.rule},`))}};`;
}

function block(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\n${lines.join('\n')}\n`;
}

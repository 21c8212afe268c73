/** The repository's TypeScript files, parsed once, for the tests that read source.
 * Not a compiler: it knows syntax and import specifiers, no types (TypeScript 7 has no JavaScript API).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseSync, visitorKeys, type Comment } from 'oxc-parser';

/** A syntax node, as far as rules look at it. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [property: string]: unknown;
}

/** One import or re-export. */
export interface ImportUse {
  readonly specifier: string;
  /** Path from the repository's root for relative specifiers, else the specifier. */
  readonly target: string;
  readonly isType: boolean;
  readonly line: number;
}

/** One file. */
export interface Source {
  /** From the repository's root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly lineCount: number;
  readonly body: readonly SyntaxNode[];
  readonly comments: readonly Comment[];
  readonly imports: readonly ImportUse[];
  lineOf(offset: number): number;
}

/** Directory of the repository, with a slash at the end. */
export const repositoryRoot: string = fileURLToPath(new URL('../../', import.meta.url));

const skipped = new Set(['node_modules', 'dist', 'build', '.git', '.cache', 'coverage']);

/** Paths of all files below a directory that end in one of the endings; nothing where there is no such directory. */
export function filesBelow(directory: string, endings: readonly string[]): string[] {
  const found: string[] = [];
  const enter = (path: string): void => {
    for (const entry of readdirSync(repositoryRoot + path, { withFileTypes: true })) {
      const child = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory() && !skipped.has(entry.name)) enter(child);
      else if (entry.isFile() && endings.some((ending) => entry.name.endsWith(ending))) found.push(child);
    }
  };
  const parent = readdirSync(repositoryRoot, { withFileTypes: true });
  if (directory === '' || parent.some((entry) => entry.isDirectory() && entry.name === directory))
    enter(directory);
  return found.sort();
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as SyntaxNode).type === 'string';
}

/** Children of a node, in source order. */
export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (const key of visitorKeys[node.type] ?? []) {
    const value = node[key];
    for (const each of Array.isArray(value) ? value : [value]) if (isNode(each)) children.push(each);
  }
  return children;
}

/** Visits every node below `nodes`, parents first. `ancestors` has the parent last. */
export function walk(
  nodes: readonly SyntaxNode[],
  visit: (node: SyntaxNode, ancestors: readonly SyntaxNode[]) => void,
): void {
  const ancestors: SyntaxNode[] = [];
  const enter = (node: SyntaxNode): void => {
    visit(node, ancestors);
    ancestors.push(node);
    for (const child of childrenOf(node)) enter(child);
    ancestors.pop();
  };
  for (const node of nodes) enter(node);
}

/** The child of a node under a name, if it is a node. */
export function childOf(node: SyntaxNode | undefined, name: string): SyntaxNode | undefined {
  const child = node?.[name];
  return isNode(child) ? child : undefined;
}

function resolve(from: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

/** Every static import, re-export, `import()` with a literal and `import('...')` type of a file. */
function importsOf(
  path: string,
  body: readonly SyntaxNode[],
  lineOf: (offset: number) => number,
): ImportUse[] {
  const imports: ImportUse[] = [];
  walk(body, (node) => {
    const isTypeImport = node.type === 'TSImportType';
    const source = childOf(node, 'source');
    if (!/^(Import|Export|TSImportType)/.test(node.type) || source?.type !== 'Literal') return;
    const specifier = String(source['value']);
    const named = Array.isArray(node['specifiers']) ? (node['specifiers'] as SyntaxNode[]) : [];
    const kind = node['importKind'] ?? node['exportKind'];
    const allTypes =
      named.length > 0 && named.every((each) => (each['importKind'] ?? each['exportKind']) === 'type');
    const isType = isTypeImport || kind === 'type' || allTypes;
    imports.push({ specifier, target: resolve(path, specifier), isType, line: lineOf(node.start) });
  });
  return imports;
}

/** Reads and parses a file. Throws when it has a syntax error. */
export function parseFile(path: string): Source {
  const text = readFileSync(repositoryRoot + path, 'utf8');
  return parseText(path, text);
}

/** Parses text as if it stood at a path. */
export function parseText(path: string, text: string): Source {
  const { program, comments, errors } = parseSync(path, text);
  const [error] = errors;
  if (error !== undefined) throw new SyntaxError(`${path}: ${error.message}`);
  const lineEnds: number[] = [];
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) lineEnds.push(end);
  const lineOf = (offset: number): number => {
    let low = 0;
    for (let high = lineEnds.length; low < high;) {
      const middle = (low + high) >> 1;
      if ((lineEnds[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
  const statements: readonly unknown[] = program.body;
  const body = statements.filter(isNode);
  return {
    path,
    text,
    lineCount: lineEnds.length,
    body,
    comments,
    imports: importsOf(path, body, lineOf),
    lineOf,
  };
}

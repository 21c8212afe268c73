/** What may not stand in a file: rules over syntax, each a function from a source to sentences about violations. */
import { childOf, walk, type Source, type SyntaxNode } from './source-tree.ts';

/** Finds violations in one file. */
export type Rule = (source: Source) => string[];

function nodesWhere(
  source: Source,
  says: (node: SyntaxNode, parent: SyntaxNode | undefined) => string | false,
): string[] {
  const found: string[] = [];
  walk(source.body, (node, ancestors) => {
    const sentence = says(node, ancestors.at(-1));
    if (sentence !== false) found.push(`${source.path}:${source.lineOf(node.start)} ${sentence}`);
  });
  return found;
}

/** The function that `describe`, or a helper named after it, gets is a list of tests and not a function to read at once. */
function isDescribe(ancestors: readonly SyntaxNode[]): boolean {
  let callee = childOf(ancestors.at(-1), 'callee');
  while (callee !== undefined && callee['name'] === undefined) {
    callee = childOf(callee, 'object') ?? childOf(callee, 'callee');
  }
  return String(callee?.['name']).startsWith('describe');
}

function nameOf(node: SyntaxNode, ancestors: readonly SyntaxNode[]): string {
  const own = childOf(node, 'id')?.['name'];
  if (typeof own === 'string') return own;
  const parent = ancestors.at(-1);
  const key = childOf(parent, 'key') ?? childOf(parent, 'id');
  return String(key?.['name'] ?? 'anonymous');
}

/** Names and lengths in lines of all functions of a file. */
export function functionLengths(source: Source): { readonly name: string; readonly lines: number }[] {
  const lengths: { name: string; lines: number }[] = [];
  walk(source.body, (node, ancestors) => {
    if (!/Function(Expression|Declaration)$/.test(node.type) || isDescribe(ancestors)) return;
    const lines = source.lineOf(node.end) - source.lineOf(node.start) + 1;
    lengths.push({ name: nameOf(node, ancestors), lines });
  });
  return lengths;
}

/** `any`, `!`, enums, namespaces, parameter properties, double casts, suppressed checks: what hides an error. */
export const noHoles: Rule = (source) => [
  ...nodesWhere(source, (node) => {
    switch (node.type) {
      case 'TSAnyKeyword':
        return 'any';
      case 'TSNonNullExpression':
        return 'non-null !';
      case 'TSEnumDeclaration':
        return 'enum';
      case 'TSModuleDeclaration':
        return node['kind'] === 'namespace' && 'namespace';
      case 'TSParameterProperty':
        return 'parameter property';
      case 'VariableDeclarator':
      case 'PropertyDefinition':
        return node['definite'] === true && 'definite !';
      case 'TSAsExpression':
        return childOf(node, 'expression')?.type === 'TSAsExpression' && 'cast of a cast';
      default:
        return false;
    }
  }),
  ...source.comments
    .filter(({ value }) => /@ts-(ignore|expect-error|nocheck)/.test(value))
    // A test may show that something does not compile, if it says what.
    .filter(({ value }) => !source.path.startsWith('test/') || !/^ @ts-expect-error: \w/.test(value))
    .map(({ start }) => `${source.path}:${source.lineOf(start)} suppressed type check`),
];

/** Named exports only, one by one. */
export const namedExports: Rule = (source) =>
  nodesWhere(source, (node) => {
    if (node.type === 'ExportDefaultDeclaration') return 'default export';
    return node.type === 'ExportAllDeclaration' && 'export *';
  });

/** A `catch` that neither does nor says anything hides a failure. */
export const noEmptyCatch: Rule = (source) =>
  nodesWhere(source, (node) => {
    const body = node.type === 'CatchClause' ? childOf(node, 'body') : undefined;
    if (body === undefined || (body['body'] as unknown[]).length > 0) return false;
    const said = source.comments.some(({ start, end }) => start > body.start && end < body.end);
    return !said && 'empty catch without a reason';
  });

/** The header: the first thing in the file, of 2 to 8 lines. */
export const hasHeader: Rule = ({ path, text, comments, lineOf }) => {
  const [first] = comments;
  const begin = text.startsWith('#!') ? text.indexOf('\n') + 1 : 0;
  if (first?.start !== begin || !first.value.startsWith('*')) return [`${path} has no header comment`];
  const lines = lineOf(first.end) - lineOf(first.start) + 1;
  return lines <= 8 ? [] : [`${path} has a header of ${lines} lines; at most 8`];
};

/** A doc comment stands right before each exported declaration. */
export const documentsExports: Rule = ({ path, text, body, comments, lineOf }) => {
  const found: string[] = [];
  const documented = new Set<string>();
  for (const node of body) {
    const declared = childOf(node, 'declaration');
    if (node.type !== 'ExportNamedDeclaration' || declared === undefined) continue;
    const [variable] = (declared['declarations'] ?? []) as SyntaxNode[];
    const name = String(childOf(variable ?? declared, 'id')?.['name']);
    const comment = comments.findLast(({ end }) => end <= node.start);
    const isDoc = comment?.type === 'Block' && comment.value.startsWith('*') && comment.start > 0;
    const isNext = comment !== undefined && text.slice(comment.end, node.start).trim() === '';
    // Overloads share the comment of the first.
    if (isDoc && isNext) documented.add(name);
    else if (!documented.has(name)) found.push(`${path}:${lineOf(node.start)} ${name} has no doc comment`);
  }
  return found;
};

/** Uses of globals, as `name` or `name.member`; a property, a key or a type's own member of that name is none. */
export function globalUses(source: Source, isGlobal: (name: string) => boolean): string[] {
  return nodesWhere(source, (node, parent) => {
    if (node.type !== 'Identifier' || parent === undefined) return false;
    const isProperty =
      parent.type === 'MemberExpression' &&
      parent['computed'] !== true &&
      childOf(parent, 'property') === node;
    const ofGlobalThis = isProperty && childOf(parent, 'object')?.['name'] === 'globalThis';
    if (isProperty && !ofGlobalThis) return false;
    if (childOf(parent, 'key') === node && parent['computed'] !== true) return false;
    const member = childOf(parent, 'property');
    const isObject = parent.type === 'MemberExpression' && childOf(parent, 'object') === node;
    const name = String(node['name']);
    const full = isObject && typeof member?.['name'] === 'string' ? `${name}.${member['name']}` : name;
    return (isGlobal(name) || isGlobal(full)) && full;
  });
}

const pureConstructors = new Set([
  'Map',
  'Set',
  'WeakMap',
  'WeakSet',
  'Uint8Array',
  'Uint32Array',
  'Int32Array',
  'DataView',
]);

/** Importing does nothing: at module level stand declarations, and the calls in them are marked as pure, so that a
 * bundler can drop what is not used. `Symbol` and the collections of the language are known to be pure. */
export const pureModules: Rule = (source) => {
  const found: string[] = [];
  for (const statement of source.body) {
    if (statement.type === 'ExpressionStatement')
      found.push(`${source.path}:${source.lineOf(statement.start)} statement`);
  }
  walk(source.body, (node, ancestors) => {
    if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return;
    if (ancestors.some(({ type, ...rest }) => runsLater(type, rest['static'] === true))) return;
    const callee = childOf(node, 'callee');
    const name = String(callee?.['name'] ?? childOf(callee, 'object')?.['name']);
    if (name === 'Symbol' || (node.type === 'NewExpression' && pureConstructors.has(name))) return;
    const before = source.text.slice(0, node.start).trimEnd();
    if (!before.endsWith('/* @__PURE__ */'))
      found.push(`${source.path}:${source.lineOf(node.start)} call of ${name}`);
  });
  return found;
};

/** Whether what stands inside a node runs only when somebody calls it: functions, and fields of instances. */
function runsLater(type: string, isStatic: boolean): boolean {
  return /Function(Expression|Declaration)$/.test(type) || (type === 'PropertyDefinition' && !isStatic);
}

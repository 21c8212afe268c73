/**
 * Tests that need programs of the machine. Where one is missing, the test says so and counts as skipped; with CI=true
 * (or 1) it fails, so that nothing is silently left out there. Not a place for starting anything.
 */
import { describe, test, type TestContext } from 'vitest';
import { hasCommand } from '../../../tools/kafka/process.ts';

const commandsOf = {
  java: { commands: ['java', 'javac'], install: 'a JDK, 17 or later (default-jdk-headless)' },
  mvn: { commands: ['mvn'], install: 'Maven (maven)' },
  kcat: { commands: ['kcat'], install: 'kcat (kcat)' },
  go: { commands: ['go'], install: 'Go (golang-go)' },
} as const;

/** A toolchain or program that tests may ask for. */
export type Tool = keyof typeof commandsOf;

/** Why these tools cannot be used here, or undefined when all can. */
export function missingTools(...tools: readonly Tool[]): string | undefined {
  const missing = tools.filter((tool) => !commandsOf[tool].commands.every(hasCommand));
  if (missing.length === 0) return undefined;
  return `needs ${missing.join(', ')}: install ${missing.map((tool) => commandsOf[tool].install).join(', ')}`;
}

/** Inside a test: skips it, or fails it on CI, when a tool is missing. */
export function requireTool(context: Pick<TestContext, 'skip'>, ...tools: readonly Tool[]): void {
  const reason = missingTools(...tools);
  if (reason === undefined) return;
  if (onCi()) throw new Error(`${reason} (tools/ci-setup.sh does)`);
  context.skip(reason);
}

/** A suite that needs tools: without them it is skipped with the reason in its name, or fails on CI. */
export function describeWith(tools: readonly Tool[], name: string, body: () => void): void {
  const reason = missingTools(...tools);
  if (reason === undefined) return void describe(name, body);
  if (!onCi()) return void describe.skip(`${name} (${reason})`, body);
  test(name, () => {
    throw new Error(`${reason} (tools/ci-setup.sh does)`);
  });
}

function onCi(): boolean {
  const value = process.env['CI'];
  return value === 'true' || value === '1';
}

/** A missing tool is a skipped test on someone's machine and a failed one on CI. Source: tools.ts. */
import { afterEach, expect, test, vi } from 'vitest';
import { missingTools, requireTool } from './tools.ts';

const context = {
  skip(note?: string | boolean): never {
    throw new Error(`skipped: ${note}`);
  },
};

afterEach(() => vi.unstubAllEnvs());

test('a tool that is missing is named with what to install', () => {
  vi.stubEnv('PATH', '/nowhere');
  expect(missingTools('kcat', 'java')).toBe(
    'needs kcat, java: install kcat (kcat), a JDK, 17 or later (default-jdk-headless)',
  );
});

test('without CI the test is skipped with the reason', () => {
  vi.stubEnv('PATH', '/nowhere');
  vi.stubEnv('CI', '');
  expect(() => requireTool(context, 'go')).toThrow('skipped: needs go: install Go (golang-go)');
});

test('with CI=true it fails', () => {
  vi.stubEnv('PATH', '/nowhere');
  vi.stubEnv('CI', 'true');
  expect(() => requireTool(context, 'go')).toThrow(
    'needs go: install Go (golang-go) (tools/ci-setup.sh does)',
  );
});

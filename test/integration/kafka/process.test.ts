/** Child processes of the rig: what they say, when they are killed. Their end with us is in main.test.ts. */
import { expect, test } from 'vitest';
import { hasCommand, run } from '../../../tools/kafka/process.ts';

test('a program gets its input and gives both outputs', async () => {
  const output = await run('sh', ['-c', 'cat; echo problem >&2'], { input: 'tëxt\n' });
  expect(output).toEqual({ stdout: 'tëxt\n', stderr: 'problem\n' });
});

test('a large input that the program does not read is no failure', async () => {
  expect((await run('true', [], { input: 'x'.repeat(1_000_000) })).stdout).toBe('');
});

test('a program that fails rejects with its exit code and last words', async () => {
  const failing = run('sh', ['-c', 'echo no such topic >&2; exit 3']);
  await expect(failing).rejects.toThrow('sh ended with exit code 3\nno such topic');
});

test('a program that is not installed is named', async () => {
  await expect(run('kafka-wire-no-such-program', [])).rejects.toThrow('exit code 127');
  await expect(run('kafka-wire-no-such-program', [])).rejects.toThrow('not found');
});

test('a program that takes too long is killed, its children too', async () => {
  const hanging = run('sh', ['-c', 'sleep 60 & wait'], { timeoutMs: 50 });
  await expect(hanging).rejects.toThrow('sh was killed after 50 ms');
});

test('commands are looked up in PATH', () => {
  expect(hasCommand('sh')).toBe(true);
  expect(hasCommand('kafka-wire-no-such-program')).toBe(false);
});

/** The launcher as a program, and what is left when it ends: nothing, however it ends. Source: tools/kafka/main.ts. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aliveBrokers } from '../../../tools/kafka/probe.ts';
import { run } from '../../../tools/kafka/process.ts';
import { repositoryRoot } from '../../../tools/kafka/cache.ts';
import { describeWith } from '../support/tools.ts';

interface Started {
  readonly program: ChildProcess;
  readonly address: string;
  readonly pid: number;
  readonly folder: string;
}

describeWith(['java', 'mvn'], 'npm run kafka', () => {
  // inside the repository, where the program finds the pom and the cache
  const file = join(repositoryRoot(), '.cache', `kafka-main-${process.pid}.mjs`);

  beforeAll(async () => {
    const input = join(repositoryRoot(), 'tools/kafka/main.ts');
    const bundle = await rolldown({ input, platform: 'node', external: ['testcontainers'] });
    await bundle.write({ file, codeSplitting: false });
  });
  afterAll(() => rmSync(file, { force: true }));

  async function start(...args: string[]): Promise<Started> {
    const program = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    for await (const chunk of program.stdout) {
      output += String(chunk);
      if (output.includes('brokers: ')) break;
    }
    const [, address = '', pid, log = ''] = /node 1 {2}(\S+) {2}pid (\d+) {2}log (\S+)/.exec(output) ?? [];
    return { program, address, pid: Number(pid), folder: dirname(dirname(log)) };
  }

  test('Ctrl-C stops the nodes and leaves no file', async () => {
    const { program, address, folder } = await start('--property', 'num.partitions=7');
    expect(await aliveBrokers(address)).toEqual([1]);
    program.kill('SIGINT');
    expect(await once(program, 'exit')).toEqual([0, null]);
    await expect(aliveBrokers(address)).rejects.toThrow('ECONNREFUSED');
    expect(existsSync(folder)).toBe(false);
  }, 300_000);

  test('kill -9 leaves no JVM, not even a paused one, and no data', async () => {
    const { program, address, pid, folder } = await start();
    expect(await processesOf(pid)).not.toEqual([]);
    process.kill(pid, 'SIGSTOP');
    program.kill('SIGKILL');
    await expect.poll(() => processesOf(pid), { timeout: 5000 }).toEqual([]);
    // the port is free only when the JVM's last thread has gone, a little after its process looks dead
    await expect.poll(() => aliveBrokers(address).catch(String), { timeout: 5000 }).toContain('ECONNREFUSED');
    await expect.poll(() => existsSync(join(folder, 'data-1')), { timeout: 5000 }).toBe(false);
    rmSync(folder, { recursive: true });
  }, 30_000);

  test('a wrong option is named and ends it with code 1', async () => {
    await expect(run(process.execPath, [file, '--nodes', '2'])).rejects.toThrow(
      '--nodes must be 1 or 3, not 2',
    );
  });
});

/** Processes of a group that run; a killed one may stay for a while as a zombie. */
async function processesOf(group: number): Promise<string[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pgid=,stat=,comm=']);
  const inGroup = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  return inGroup
    .filter(([id, state = 'Z']) => Number(id) === group && !state.startsWith('Z'))
    .map((row) => row.join(' '));
}

/**
 * Child processes that cannot outlive this one: JVMs, Maven, Go programs.
 *
 * Each child is the leader of its own process group (Ctrl-C in a terminal reaches only us) and shares the group with a
 * watcher shell that blocks on a pipe of ours. When this process ends in any way, kill -9 included, the pipe closes and
 * the watcher kills the group. The pid seen by callers is the program's own: the shell execs it, so signals hit it
 * directly, and the watcher keeps the group's number from being reused. POSIX shells only; no Windows.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** How a tethered child is started. */
export interface TetherOptions {
  /** Where stdin, stdout and stderr go; default ignored, piped, piped. */
  readonly stdio?: readonly ['pipe' | 'ignore', 'pipe' | number, 'pipe' | number];
  /** A directory to delete when this process dies without having stopped the child. */
  readonly scratch?: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

// fd 3 is the pipe to us. `$$` in the watcher is the program's pid; "kill 0" ends the watcher with its group.
const tether = `scratch=$1; shift
{ read -r _ <&3; kill -KILL $$; [ -z "$scratch" ] || rm -rf -- "$scratch"; kill -KILL 0; } >/dev/null 2>&1 &
exec "$@" 3<&-`;

/** Starts `command`; it dies with this process. The caller handles 'error' (the shell is missing) and 'exit'. */
export function spawnTethered(
  command: string,
  args: readonly string[],
  options: TetherOptions = {},
): ChildProcess {
  const [input, output, errors] = options.stdio ?? ['ignore', 'pipe', 'pipe'];
  const stdio: StdioOptions = [input, output, errors, 'pipe'];
  const child = spawn('/bin/sh', ['-c', tether, 'tether', options.scratch ?? '', command, ...args], {
    stdio,
    detached: true,
    cwd: options.cwd,
    env: options.env,
  });
  child.stdio[3]?.on('error', () => {}); // the pipe breaks when the watcher is killed: that is its end, not a failure
  child.once('exit', () => killGroup(child));
  return child;
}

/** SIGKILL for the child, its watcher and whatever it started. Harmless when all are gone. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // EPERM: macOS says so of a group of which only an unreaped leader is left.
    if (!isCode(error, 'ESRCH') && !isCode(error, 'EPERM')) throw error;
  }
}

/** What a finished program left behind. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** How `run` starts, feeds and bounds a program. */
export interface RunOptions {
  /** Text for stdin; default: stdin is empty. */
  readonly input?: string;
  /** Deadline, milliseconds; default 120 000. The program is killed and the promise rejects. */
  readonly timeoutMs?: number;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a program to its end. Rejects when it cannot start, exits with another code than 0 or misses the deadline. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Output> {
  const { input, timeoutMs = 120_000, ...rest } = options;
  return new Promise((resolve, reject) => {
    const child = spawnTethered(command, args, {
      ...rest,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    let late = false;
    const deadline = setTimeout(() => {
      late = true;
      killGroup(child);
    }, timeoutMs);
    child.once('error', (error) => {
      clearTimeout(deadline);
      reject(error);
    });
    child.once('close', (code, signal) => {
      clearTimeout(deadline);
      if (code === 0) return resolve({ stdout: stdout(), stderr: stderr() });
      const end = late ? `was killed after ${timeoutMs} ms` : `ended with ${signal ?? `exit code ${code}`}`;
      reject(new Error(`${command} ${end}\n${tail(stderr() || stdout())}`));
    });
    child.stdin?.on('error', () => {}); // a program may end without reading all its input; its exit code decides
    child.stdin?.end(input);
  });
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Uint8Array[] = [];
  stream?.on('data', (chunk: Uint8Array) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}

/** The last lines of a text, for error messages. */
export function tail(text: string, lines = 20): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}

/** Whether PATH holds an executable file of this name. */
export function hasCommand(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false; // not in this directory
    }
  });
}

/** Whether an error of Node carries this code, such as 'ENOENT'. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** What a command sees of the world: its input, its output with back pressure, whether to colour.
 * Not here: what is printed. Tests give their own.
 * Invariant: a writer that awaits `write` holds at most one block that the reader has not taken.
 */
import process from 'node:process';

/** The world of a command. */
export interface Io {
  /** Standard input. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Whether standard input is a terminal: somebody sits there and no data comes. */
  readonly isInputTerminal: boolean;
  /** Whether output is coloured. */
  readonly isColoured: boolean;
  /** Prints; what it returns is awaited before more is printed. Rejects with `ClosedOutput` when nobody reads. */
  write(text: string): Promise<void> | void;
  /** Prints to standard error. */
  complain(text: string): void;
}

/** The reader of the output is gone, as `head` is after ten lines. */
export class ClosedOutput extends Error {}

/** The process as a world. */
export function processIo(): Io {
  const { stdin, stdout, stderr, env } = process;
  let failure: Error | undefined;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    failure = error.code === 'EPIPE' ? new ClosedOutput() : error;
  });
  return {
    input: stdin,
    isInputTerminal: stdin.isTTY,
    isColoured: isColoured(env, stdout.isTTY),
    async write(text) {
      if (failure) throw failure;
      if (stdout.write(text)) return;
      await drained(stdout);
      if (failure) throw failure;
    },
    complain: (text) => void stderr.write(text),
  };
}

/** Resolves when a stream takes more, or never will. */
function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    const events = ['drain', 'close', 'error'] as const;
    for (const event of events) stream.on(event, done);
  });
}

/** Colours are for terminals; NO_COLOR and FORCE_COLOR have the last word. */
function isColoured(env: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if (env['NO_COLOR']) return false;
  if (env['FORCE_COLOR']) return true;
  return isTerminal && env['TERM'] !== 'dumb';
}

/** The commands of `kafka-wire` and their exit codes: 0 fine, 1 damage found, 2 usage or an input that cannot be read.
 * Not here: what a command does; each has a file of its own.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { KafkaError } from 'kafka-wire';
import { decodeCommand } from './decode/command.ts';
import { explainCommand } from './explain/command.ts';
import { ClosedOutput, type Io } from './io.ts';

/** Runs the command line; resolves with the exit code. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let exitCode = 0;
  const exit = (code: number): void => {
    exitCode = code;
  };
  const program = new Command('kafka-wire')
    .description("Kafka's wire protocol on the command line.")
    .version(packageVersion())
    .addCommand(decodeCommand(io, exit))
    .addCommand(explainCommand(io));
  for (const command of [program, ...program.commands]) {
    command.exitOverride();
    command.configureOutput({
      writeOut: (text) => void io.write(text),
      writeErr: (text) => io.complain(text),
    });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof ClosedOutput) return exitCode;
    // Help and version end the parsing with code 0; what else commander throws it has printed.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!isExpected(error)) throw error;
    io.complain(`kafka-wire: ${error.message}\n`);
    return 2;
  }
}

/** As package.json says it, which lies two levels up from here in the source and in the package. */
function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Mistakes of the caller, and files that cannot be opened or read. */
function isExpected(error: unknown): error is Error {
  return error instanceof KafkaError || (error instanceof Error && 'syscall' in error);
}

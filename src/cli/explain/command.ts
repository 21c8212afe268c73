/** `kafka-wire explain <what>`: prints what explain.ts says.
 * Not here: the facts.
 */
import { Command } from 'commander';
import { UsageError } from 'kafka-wire';
import type { Io } from '../io.ts';
import { explain } from './explain.ts';

const examples = `
Examples:
  kafka-wire explain NOT_LEADER_OR_FOLLOWER
  kafka-wire explain 79
  kafka-wire explain Fetch
  kafka-wire explain Fetch:13`;

/** The command. */
export function explainCommand(io: Io): Command {
  return new Command('explain')
    .description(
      'Says what an error code, an API or one version of an API is, and which Kafka releases have it.',
    )
    .argument('<what>', "an error code's number or name, an API's key or name, or API:version")
    .allowUnknownOption() // An error code may be negative.
    .addHelpText('after', examples)
    .action(async (what: string) => {
      const texts = explain(what);
      if (texts.length === 0)
        throw new UsageError(`there is no error code, API or version ${JSON.stringify(what)}`);
      await io.write(`${texts.join('\n\n')}\n`);
    });
}

/** `kafka-wire decode [file]`: the options and their checks.
 * Not here: doing it (decoding.ts).
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { UsageError } from 'kafka-wire';
import { api as apiOf } from 'kafka-wire/protocol/registry';
import type { Io } from '../io.ts';
import { decode, type DecodeSettings } from './decoding.ts';
import type { MessageOptions } from './identify/conversation.ts';
import { forms, type Form } from './input/form.ts';
import type { Side } from './identify/identity.ts';

interface Flags {
  readonly form?: Form;
  readonly api?: string;
  readonly apiVersion?: number;
  readonly direction?: Side;
  readonly request?: true;
  readonly response?: true;
  /** Undefined when neither --header nor --no-header is given. */
  readonly header?: boolean;
  readonly port?: number;
  readonly topic?: string;
  readonly json?: true;
  readonly ndjson?: true;
  readonly headers?: true;
  readonly depth?: number;
  readonly records: boolean;
  readonly full?: true;
}

const examples = `
Examples:
  kafka-wire decode capture.pcapng
  tcpdump -w - port 9092 | kafka-wire decode
  kafka-wire decode --headers /var/lib/kafka/orders-0/00000000000000000000.log
  echo 00000011001200000000000100076578616d706c65 | kafka-wire decode
  kafka-wire decode --api Fetch --api-version 12 --response --no-header body.hex

Exit code: 0 fine, 1 damage found, 2 wrong usage or unreadable input.`;

/** The command. */
export function decodeCommand(io: Io, exit: (code: number) => void): Command {
  return new Command('decode')
    .description(
      'Explains bytes of the protocol, field by field: hex, base64, frames, pcap, pcapng, log segments.',
    )
    .argument('[file]', 'what to read; standard input by default')
    .addOption(
      new Option('--form <form>', 'form of the input; told from its bytes by default').choices(forms),
    )
    .option('--api <name|key>', 'API of the frames, such as Fetch or 1; found by default')
    .option('--api-version <n>', 'version of the API; needs --api', wholeNumber)
    .addOption(
      new Option('--direction <side>', 'who sent the frames; found by default').choices([
        'request',
        'response',
      ]),
    )
    .option('--request', 'the same as --direction request')
    .option('--response', 'the same as --direction response')
    .option('--header', 'the frames begin with a request or response header')
    .option('--no-header', 'they begin with the body')
    .option('--port <n>', "captures: the brokers' port; found by default", wholeNumber)
    .option('--topic <name>', "segments: the topic; the directory's by default")
    .option('--headers', 'one line a frame or batch, checksums verified')
    .option('--depth <n>', 'levels of the tree', wholeNumber)
    .option('--no-records', 'batches without their records')
    .option('--full', 'long bytes and values to their end')
    .option('--json', 'one JSON document')
    .option('--ndjson', 'a line of JSON a frame or batch')
    .addHelpText('after', examples)
    .action(async (file: string | undefined, _flags: Flags, command: Command) => {
      const flags: Flags = command.opts();
      const isHeaderGiven = command.getOptionValueSource('header') === 'cli';
      exit((await decode(file, settingsOf(flags, isHeaderGiven), io)) ? 1 : 0);
    });
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function settingsOf(flags: Flags, isHeaderGiven: boolean): DecodeSettings {
  const { form, port, topic, json, ndjson, headers, depth = Infinity, records, full } = flags;
  if (json && ndjson) throw new UsageError('--json and --ndjson exclude each other');
  if (headers && (json || ndjson)) throw new UsageError('--headers and JSON exclude each other');
  if (depth < 1) throw new UsageError('--depth must be at least 1');
  return {
    message: { ...messageOf(flags, isHeaderGiven), ...(port !== undefined && { port }) },
    output: json ? 'json' : ndjson ? 'ndjson' : headers ? 'headers' : 'tree',
    isBrief: headers === true,
    depth,
    withRecords: records,
    isFull: full === true,
    ...(form !== undefined && { form }),
    ...(topic !== undefined && { topic }),
  };
}

function messageOf(
  { api: name, apiVersion: version, direction, request, response, header }: Flags,
  isHeaderGiven: boolean,
): MessageOptions {
  const sides = [direction, request && 'request', response && 'response'] as const;
  const [side, other] = sides.filter((each) => each !== undefined);
  if (other !== undefined && other !== side)
    throw new UsageError('--request and --response exclude each other');
  const api = name === undefined ? undefined : apiOf(/^\d+$/.test(name) ? Number(name) : name);
  if (name !== undefined && !api) throw new UsageError(`there is no API ${name}`);
  if (version !== undefined) {
    if (!api) throw new UsageError('--api-version needs --api');
    const { min, max } = api.request.versions;
    if (version < min || version > max)
      throw new UsageError(`${api.name} has no version ${version}; known are v${min} to v${max}`);
  }
  return {
    ...(api && { api }),
    ...(version !== undefined && { version }),
    ...(side && { side }),
    ...(isHeaderGiven && header !== undefined && { hasHeader: header }),
  };
}

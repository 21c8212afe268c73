/** The command line as a whole: its commands, its exit codes, and what it says when it is used wrongly. */
import { expect, test } from 'vitest';
import { ClosedOutput } from '../../src/cli/io.ts';
import { run } from '../../src/cli/program.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { kafkaWire } from './support/run.ts';

const frame = '00000011001200000000000100076578616d706c65';

test('help names every command, and every command has help with examples', async () => {
  const { code, out } = await kafkaWire(['--help']);
  expect(code).toBe(0);
  for (const name of ['decode', 'explain']) {
    expect(out).toContain(`  ${name} `);
    const help = await kafkaWire([name, '--help']);
    expect(help).toMatchObject({ code: 0, err: '' });
    expect(help.out).toContain('Examples:');
  }
});

test('every example of decode’s help that needs no file is right', async () => {
  const { out } = await kafkaWire(['decode', '--help']);
  const hex = /echo ([0-9a-f]+) \|/.exec(out)?.[1] ?? '';
  expect(await kafkaWire(['decode'], { input: hex })).toMatchObject({ code: 0, err: '' });
});

test('--version is the package’s', async () => {
  expect(await kafkaWire(['--version'])).toEqual({ code: 0, out: `${packageJson.version}\n`, err: '' });
});

test('0 is fine, 1 is damage, 2 is wrong usage or an input that cannot be read', async () => {
  expect((await kafkaWire(['decode'], { input: frame })).code).toBe(0);
  expect((await kafkaWire(['decode'], { input: frame.slice(0, -2) })).code).toBe(1);
  for (const args of [[], ['nothing'], ['decode', '--nothing'], ['decode', 'a', 'b'], ['explain']]) {
    const { code, out, err } = await kafkaWire(args);
    expect({ code, out }, args.join(' ')).toEqual({ code: 2, out: '' });
    expect(err, args.join(' ')).not.toBe('');
  }
  const missing = await kafkaWire(['decode', '/there/is/no/such/file']);
  expect(missing).toMatchObject({ code: 2, out: '' });
  expect(missing.err).toMatch(/^kafka-wire: ENOENT.*\n$/);
});

test('a terminal as input is asked for bytes instead of waited for', async () => {
  const { code, err } = await kafkaWire(['decode'], { isInputTerminal: true });
  expect(err).toBe('kafka-wire: nothing to decode: give a file, or bytes on standard input\n');
  expect(code).toBe(2);
});

test('explain prints what is known, and refuses what is not', async () => {
  expect((await kafkaWire(['explain', 'Fetch:13'])).out).toContain('Request header v2, response header v1.');
  expect((await kafkaWire(['explain', '-1'])).out).toContain('UNKNOWN_SERVER_ERROR');
  const { code, err } = await kafkaWire(['explain', 'Nothing:1']);
  expect(err).toBe('kafka-wire: there is no error code, API or version "Nothing:1"\n');
  expect(code).toBe(2);
});

test('a reader that has seen enough ends the command in silence', async () => {
  let errors = '';
  const code = await run(['decode'], {
    input: (async function* () {
      yield new TextEncoder().encode(frame);
    })(),
    isInputTerminal: false,
    isColoured: false,
    write() {
      throw new ClosedOutput();
    },
    complain(text) {
      errors += text;
    },
  });
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
});

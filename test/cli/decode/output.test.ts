/** What `decode` prints: the tree, one line a frame, JSON, colours; and what its flags change. */
import { describe, expect, test } from 'vitest';
import { fixture } from '../../protocol/records/fixtures.ts';
import { CapturedConnection, joined, pcap } from '../support/captures.ts';
import { exchanges, framed } from '../support/exchanges.ts';
import { kafkaWire, pieces, type JsonNode, type JsonPiece } from '../support/run.ts';

const versions = Uint8Array.from(Buffer.from('00000011001200000000000100076578616d706c65', 'hex'));
const produce = exchanges('full').find(({ name, version }) => name === 'Produce' && version === 9);
if (!produce) throw new Error('no Produce v9');

const out = async (input: Uint8Array | string, ...args: string[]): Promise<string> =>
  (await kafkaWire(['decode', ...args], { input })).out;

test('a frame is a heading and a tree: name, place, bytes, value', async () => {
  expect(await out(versions)).toBe(
    [
      '#1 ApiVersions request v0, correlation 1, client "example" @0 +21',
      '  length          @0  +4  00000011                 = 17',
      '  header          @4  +17 struct',
      '    apiKey        @4  +2  0012                     = 18 ApiVersions',
      '    apiVersion    @6  +2  0000                     = 0',
      '    correlationId @8  +4  00000001                 = 1',
      '    clientId      @12 +9  00076578616d706c65       = "example"',
      '',
      '1 frame (1 request, 0 responses), no damage',
      '',
    ].join('\n'),
  );
});

test('compressed records are shown in a byte space of their own', async () => {
  const text = await out(fixture('gzip').bytes);
  expect(text).toMatch(/records +@61 +\+\d+ +1f8b08\S+ += \(\d+ bytes\) inflated to \d+ bytes, #1\n/);
  expect(text).toMatch(/ value +#1@5 +\+2 +0230 += "0"/);
});

test('control characters of a value are escaped: nothing moves the cursor', async () => {
  const evil = '\u001b[2J\r\n\u009b31m\u2028';
  const header = joined([0, 18, 0, 0, 0, 0, 0, 1, 0, Buffer.from(evil).length], Buffer.from(evil));
  const text = await out(framed(header), '--request', '--api', 'ApiVersions', '--api-version', '0');
  expect(text).toContain(String.raw`"\u001b[2J\r\n\u009b31m\u2028"`);
  expect(text).not.toMatch(/[^\P{Cc}\n]/u);
});

test('what a lenient reader takes and no client writes is damage: a boolean that is neither 0 nor 1', async () => {
  const metadata = exchanges('full').find(({ name, version }) => name === 'Metadata' && version === 4);
  const frame = metadata?.request.slice() ?? new Uint8Array(0);
  expect((await pieces(frame)).code).toBe(0);
  frame[frame.length - 1] = 7;
  const { code, pieces: found } = await pieces(frame);
  expect(found[0]?.damage).toMatchObject([{ offset: frame.length - 1, path: 'allowAutoTopicCreation' }]);
  expect(code).toBe(1);
});

test('a capture’s frames say who sent them and when, and offsets count from the frame', async () => {
  const connection = new CapturedConnection().open();
  connection.send('client', produce.request).send('server', produce.response).close();
  const text = await out(pcap(connection.packets()), '--depth', '1');
  expect(text).toMatch(
    /^#1 Produce request v9, .* 127\.0\.0\.1:50000 → 127\.0\.0\.1:9092 \(1\) 22:13:20\.0/m,
  );
  expect(text).toMatch(/^#2 Produce response v9, .* 127\.0\.0\.1:9092 → 127\.0\.0\.1:50000 \(1\)/m);
  expect(text.match(/^ {2}length +@0 +\+4 /gm)).toHaveLength(2);
  expect(text).toContain('2 frames (1 request, 1 response), no damage');
});

test('colours are for terminals', async () => {
  const coloured = await kafkaWire(['decode'], { input: versions, isColoured: true });
  expect(coloured.out).toContain('\u001b[');
  expect(coloured.out.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g'), '')).toBe(
    await out(versions),
  );
});

describe('less is shown with', () => {
  test('--depth', async () => {
    const text = await out(produce.request, '--depth', '1');
    expect(text).toContain('topicData');
    expect(text).not.toContain('partitionData');
  });

  test('--no-records', async () => {
    const { bytes } = fixture('several');
    const text = await out(bytes, '--no-records');
    expect(text).toContain('recordCount');
    expect(text).not.toContain('offsetDelta');
  });

  test('--headers: a line a frame', async () => {
    const text = await out(joined(produce.request, produce.response), '--headers');
    expect(text.split('\n')).toHaveLength(4);
    expect(text).toMatch(/^#1 Produce request v9.*\n#2 Produce response v9/);
  });

  test('and more with --full', async () => {
    const value = 'x'.repeat(300);
    const frame = framed(joined([0, 17, 0, 0, 0, 0, 0, 1, 0, 1, 97, 1, 44], Buffer.from(value)));
    expect(await out(frame)).not.toContain(value);
    expect(await out(frame)).toContain('(300 characters)');
    expect(await out(frame, '--full')).toContain(value);
  });
});

describe('JSON', () => {
  const input = joined(produce.request, produce.response);

  test('is one document, with the same pieces as --ndjson', async () => {
    const document = JSON.parse(await out(input, '--json')) as {
      form: string;
      pieces: JsonPiece[];
      totals: object;
    };
    expect(document.form).toBe('binary');
    expect(document.pieces).toEqual((await pieces(input)).pieces);
    expect(document.totals).toMatchObject({ frames: 2, requests: 1, responses: 1, damaged: 0 });
  });

  test('has bytes in hex, large numbers as text, and offsets from the input’s first byte', async () => {
    const [, response] = (await pieces(input)).pieces;
    expect(response?.fields[0]).toMatchObject({ path: 'length', offset: produce.request.length });
    const [batch] = (await pieces(fixture('idempotent').bytes)).pieces;
    const find = (nodes: readonly JsonNode[], end: string): JsonNode | undefined =>
      nodes.flatMap((node) => [node, ...(node.children ?? [])]).find(({ path }) => path.endsWith(end));
    expect(find(batch?.fields ?? [], '.producerId')?.value).toMatch(/^\d+$/);
  });

  test('of --headers is refused', async () => {
    for (const flag of ['--json', '--ndjson'])
      expect((await kafkaWire(['decode', '--headers', flag], { input })).code).toBe(2);
  });
});

describe('what flags say overrules what bytes say', () => {
  const body = produce.response.subarray(4 + 5);

  test('a body without header', async () => {
    const args = ['--api', 'Produce', '--api-version', '9', '--response', '--no-header'];
    const { code, pieces: found } = await pieces(body, args);
    expect(found).toMatchObject([{ api: 'Produce', version: 9, side: 'response', by: 'options' }]);
    expect(found[0]?.damage).toBeUndefined();
    expect(code).toBe(0);
  });

  test('the API by its key, the direction by --direction', async () => {
    const args = ['--api', '0', '--api-version', '9', '--direction', 'response', '--no-header'];
    expect((await pieces(body, args)).pieces).toMatchObject([{ api: 'Produce', side: 'response' }]);
  });

  test.each([
    [['--api', 'Nothing'], 'there is no API Nothing'],
    [['--api', 'Produce', '--api-version', '99'], 'Produce has no version 99; known are v3 to v13'],
    [['--api-version', '3'], '--api-version needs --api'],
    [['--request', '--response'], 'exclude each other'],
    [['--request', '--direction', 'response'], 'exclude each other'],
    [['--json', '--ndjson'], 'exclude each other'],
    [['--depth', '0'], 'at least 1'],
    [['--depth', '1.5'], 'whole number'],
    [['--form', 'morse'], 'Allowed choices'],
  ])('%j is refused', async (args, text) => {
    const { code, err } = await kafkaWire(['decode', ...args], { input: versions });
    expect(err).toContain(text);
    expect(code).toBe(2);
  });
});

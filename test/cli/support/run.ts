/** Runs the command line in this process, with an input and an output of its own. */
import type { Io } from '../../../src/cli/io.ts';
import { run } from '../../../src/cli/program.ts';

/** What a command has left. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A command's world, where it differs from an empty input and plain output. */
export interface World {
  readonly input?: Uint8Array | string;
  /** Bytes of a chunk of the input. Default: all at once. */
  readonly chunkBytes?: number;
  readonly isInputTerminal?: boolean;
  readonly isColoured?: boolean;
}

/** Runs `kafka-wire` with arguments. */
export async function kafkaWire(args: readonly string[], world: World = {}): Promise<Outcome> {
  const { input = '', chunkBytes = Infinity, isInputTerminal = false, isColoured = false } = world;
  const bytes = typeof input === 'string' ? new TextEncoder().encode(input) : input;
  let out = '';
  let err = '';
  const io: Io = {
    input: chunksOf(bytes, chunkBytes),
    isInputTerminal,
    isColoured,
    write(text) {
      out += text;
    },
    complain(text) {
      err += text;
    },
  };
  return { code: await run(args, io), out, err };
}

async function* chunksOf(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

/** A frame or batch of `--ndjson`, as far as tests look. */
export interface JsonPiece {
  readonly kind: 'frame' | 'batch' | 'fault';
  readonly at: number;
  readonly bytes: number;
  readonly side?: 'request' | 'response';
  readonly api?: string;
  readonly version?: number;
  readonly by?: string;
  readonly alternatives?: readonly string[];
  readonly unknown?: string;
  readonly correlationId?: number;
  readonly connection?: number;
  readonly time?: string;
  readonly missing?: number;
  readonly skipped?: number;
  readonly what?: string;
  readonly isDamage?: boolean;
  readonly topic?: string;
  readonly damage?: readonly JsonDamage[];
  readonly fields: readonly JsonNode[];
}

/** A damage of a frame or batch. */
export interface JsonDamage {
  readonly space: number;
  readonly offset: number;
  readonly path?: string;
  readonly what: string;
  readonly suspect?: { offset: number; path?: string; found: number; expected: number; by: string };
}

/** A node of the tree. */
export interface JsonNode {
  readonly path: string;
  readonly kind: string;
  readonly space: number;
  readonly offset: number;
  readonly length: number;
  readonly value?: unknown;
  readonly children?: readonly JsonNode[];
}

/** Decodes to pieces. */
export async function pieces(
  input: Uint8Array | string,
  args: readonly string[] = [],
  world: World = {},
): Promise<{ code: number; pieces: JsonPiece[] }> {
  const { code, out, err } = await kafkaWire(['decode', '--ndjson', ...args], { ...world, input });
  if (err !== '') throw new Error(err);
  const lines = out.split('\n').filter((line) => line !== '');
  return { code, pieces: lines.map((line) => JSON.parse(line) as JsonPiece) };
}

/** The whole of `decode`: opens the input, reads its form into pieces, explains each and prints it before the next.
 * Not here: any of these steps.
 * Invariant: one piece is in memory at a time, and printing waits for whoever reads.
 */
import { UsageError } from 'kafka-wire';
import type { Io } from '../io.ts';
import { Diagnoser } from './diagnosing.ts';
import { explainBatch, explainFrame, withWrongLength } from './explanation.ts';
import { Conversation } from './identify/conversation.ts';
import { recordCount } from './input/batch-head.ts';
import { binaryFrames } from './input/binary.ts';
import { ByteSource } from './input/byte-source.ts';
import { captureFrames, type CaptureCounts, type CaptureOptions } from './input/capture.ts';
import { detectForm, type Form } from './input/form.ts';
import { pcapngPackets, pcapPackets } from './input/pcap.ts';
import { segmentBatches, topicOfPath } from './input/segment.ts';
import { bytesOfBase64, bytesOfHex, MAX_TEXT_BYTES } from './input/text.ts';
import type { Frame, LogBatch, Piece } from './piece.ts';
import { batchSummary } from './print/batch-summary.ts';
import { jsonPrinter, ndjsonPrinter } from './print/json.ts';
import type { Explained, Printer, Totals } from './print/printer.ts';
import { coloursFor, type TreeOptions } from './print/style.ts';
import { textPrinter } from './print/text.ts';

/** What the command line says. */
export interface DecodeSettings {
  readonly message: CaptureOptions;
  readonly form?: Form;
  readonly topic?: string;
  readonly output: 'tree' | 'headers' | 'json' | 'ndjson';
  /** Whether only headers are asked for, and no trees are made where they can be spared. */
  readonly isBrief: boolean;
  readonly depth: number;
  readonly withRecords: boolean;
  readonly isFull: boolean;
}

/** Text gathered before it is written: a write a line would be most of the time. */
const BLOCK_CHARACTERS = 0x8000;

/** Decodes a file, or standard input; resolves with whether damage was found. */
export async function decode(file: string | undefined, settings: DecodeSettings, io: Io): Promise<boolean> {
  const isStandardInput = file === undefined || file === '-';
  if (isStandardInput && io.isInputTerminal)
    throw new UsageError('nothing to decode: give a file, or bytes on standard input');
  const source = isStandardInput ? ByteSource.ofChunks(io.input) : await ByteSource.ofFile(file);
  try {
    return await decodeSource(source, isStandardInput ? undefined : file, settings, io);
  } finally {
    await source.close();
  }
}

async function decodeSource(
  source: ByteSource,
  file: string | undefined,
  settings: DecodeSettings,
  io: Io,
): Promise<boolean> {
  const form = settings.form ?? (await detectForm(source, file));
  if (form === undefined) throw new UsageError('the input is empty');
  const counts: CaptureCounts = { packets: 0, connections: 0, kafkaConnections: 0, tlsConnections: 0 };
  const printer = printerOf(settings, io);
  const totals: Totals = {
    frames: 0,
    requests: 0,
    responses: 0,
    batches: 0,
    records: 0,
    damaged: 0,
    skippedBytes: 0,
  };
  const diagnoser = new Diagnoser();
  const write = blockWriter(io);
  await write(printer.begin(form));
  for await (const piece of piecesOf(source, form, file, settings, counts)) {
    if (piece.kind === 'fault') {
      totals.skippedBytes += piece.skipped;
      if (piece.isDamage) totals.damaged++;
      await write(printer.fault(piece));
      continue;
    }
    if (piece.kind === 'batch' && settings.output === 'headers') {
      await write(batchSummary(piece, totals, coloursFor(io.isColoured)));
      continue;
    }
    const explained =
      piece.kind === 'batch'
        ? { piece, explanation: explainBatch(piece, diagnoser) }
        : explain(piece, diagnoser);
    await write(printer.piece(explained, totals.frames + totals.batches));
    // What comes through a pipe may be watched as it happens.
    if (file === undefined) await write.flush();
    count(totals, explained);
  }
  await write(printer.end(totals, notesOf(form, counts)));
  await write.flush();
  return totals.damaged > 0;
}

function explain(piece: Frame, diagnoser: Diagnoser): Explained {
  const identity = piece.conversation.identify(piece);
  const explanation = explainFrame(piece, identity, diagnoser);
  const { surplus } = explanation;
  // The length may be wrong, and the next frame begin where this one's message ends.
  const next = piece.bytes.length - surplus;
  const isNext = surplus >= 12 && piece.conversation.beginsFrame(piece.bytes, next, piece.side);
  if (!isNext || !piece.giveBack) return { piece, identity, explanation };
  piece.giveBack(surplus);
  return {
    piece: { ...piece, bytes: piece.bytes.subarray(0, next) },
    identity,
    explanation: withWrongLength(explanation, piece.bytes),
  };
}

function count(totals: Totals, explained: Explained): void {
  if (explained.explanation.damages.length > 0) totals.damaged++;
  if (!('identity' in explained)) {
    totals.batches++;
    totals.records += recordCount(explained.piece.bytes);
    return;
  }
  totals.frames++;
  const { identity } = explained;
  if (identity.kind !== 'message') return;
  if (identity.side === 'request') totals.requests++;
  else totals.responses++;
}

function printerOf({ output, depth, withRecords, isFull }: DecodeSettings, io: Io): Printer {
  if (output === 'json') return jsonPrinter();
  if (output === 'ndjson') return ndjsonPrinter();
  const options: TreeOptions = { colours: coloursFor(io.isColoured), depth, withRecords, isFull };
  return textPrinter(options, output === 'tree');
}

async function* piecesOf(
  source: ByteSource,
  form: Form,
  file: string | undefined,
  { message, topic }: DecodeSettings,
  counts: CaptureCounts,
): AsyncGenerator<Piece> {
  switch (form) {
    case 'pcap':
      return yield* captureFrames(pcapPackets(source), message, counts);
    case 'pcapng':
      return yield* captureFrames(pcapngPackets(source), message, counts);
    case 'segment':
      return yield* segmentBatches(source, topic ?? (file && topicOfPath(file)));
    case 'binary':
      return yield* binaryFrames(source, message);
    default:
      return yield* textFrames(source, form, message);
  }
}

async function* textFrames(
  source: ByteSource,
  form: 'hex' | 'base64',
  message: CaptureOptions,
): AsyncGenerator<Frame | LogBatch | Piece> {
  const text = await source.rest(MAX_TEXT_BYTES);
  if (text === undefined) throw new UsageError(`text of more than ${MAX_TEXT_BYTES} bytes is not read`);
  const characters = new TextDecoder('latin1').decode(text);
  const parts = form === 'hex' ? bytesOfHex(characters) : [bytesOfBase64(characters)];
  const conversation = new Conversation(message);
  for (const part of parts) {
    const inner = ByteSource.ofChunks(
      (async function* () {
        yield part;
      })(),
    );
    const found = await detectForm(inner, undefined);
    if (found === 'segment') yield* segmentBatches(inner);
    else yield* binaryFrames(inner, message, conversation);
  }
}

function notesOf(form: Form, counts: CaptureCounts): string[] {
  if (form !== 'pcap' && form !== 'pcapng') return [];
  const { packets, connections, kafkaConnections, tlsConnections } = counts;
  const notes = [`${packets} packets, ${connections} TCP connections, ${kafkaConnections} of them Kafka`];
  if (tlsConnections > 0) notes.push(`${tlsConnections} connections are TLS and cannot be read`);
  return notes;
}

/** Writes text in blocks and waits for the reader; `flush` writes what is left. */
function blockWriter(io: Io): { (texts: Iterable<string>): Promise<void>; flush(): Promise<void> } {
  let block = '';
  const flush = async (): Promise<void> => {
    const text = block;
    block = '';
    if (text !== '') await io.write(text);
  };
  const write = async (texts: Iterable<string>): Promise<void> => {
    for (const text of texts) {
      block += text;
      if (block.length >= BLOCK_CHARACTERS) await flush();
    }
  };
  return Object.assign(write, { flush });
}

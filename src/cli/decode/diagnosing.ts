/** Which single byte is most likely wrong in a frame or batch that cannot be read.
 * Not here: finding it (kafka-wire/protocol, `diagnose`), and where reading failed (explanation.ts).
 * Invariant: bounded work: large pieces and all but the first `MAX_DIAGNOSES` of a run are not looked into.
 */
import {
  diagnose,
  diagnoseRecords,
  requestHeader,
  responseHeader,
  type Diagnosis,
} from 'kafka-wire/protocol';
import type { Candidate } from './identify/identity.ts';
import type { Frame, LogBatch } from './piece.ts';
import { traceOptions } from './tracing.ts';

/** A byte that is most likely wrong. */
export interface Suspect {
  /** In the piece. */
  readonly offset: number;
  /** Of the field that it belongs to. */
  readonly path: string | undefined;
  /** 0 to 255. */
  readonly found: number;
  /** The byte with which everything can be read. */
  readonly expected: number;
  /** How it was found: a checksum is sure, the structure is a guess. */
  readonly by: 'checksum' | 'structure';
}

const MAX_DIAGNOSES = 20;
const MAX_BYTES = 0x1_0000;

/** Finds wrong bytes in the pieces of one run. */
export class Diagnoser {
  #left = MAX_DIAGNOSES;

  /** Of a frame that is here to its end; undefined where none is found. */
  frame({ bytes, start }: Frame, { api, version, side, headerVersion }: Candidate): Suspect | undefined {
    const header = { name: 'header', message: side === 'request' ? requestHeader : responseHeader };
    const parts = [
      ...(headerVersion === undefined ? [] : [{ ...header, version: headerVersion }]),
      { name: 'body', message: api[side], version },
    ];
    return this.#suspect(bytes, () => diagnose(bytes, parts, { ...traceOptions, start }));
  }

  /** Of a batch of a log. */
  batch({ bytes, topic }: LogBatch): Suspect | undefined {
    return this.#suspect(bytes, () => diagnoseRecords(bytes, { ...traceOptions, topic }));
  }

  #suspect(bytes: Uint8Array, find: () => Diagnosis | undefined): Suspect | undefined {
    if (bytes.length > MAX_BYTES || this.#left === 0) return undefined;
    this.#left--;
    const diagnosis = find();
    if (!diagnosis || diagnosis.by === 'failure' || diagnosis.expected === undefined) return undefined;
    const { offset, expected, by, leaf } = diagnosis;
    const path = leaf?.path.replace(/^\.?(body\.)?/, '');
    return { offset, path, found: bytes[offset] ?? 0, expected, by };
  }
}

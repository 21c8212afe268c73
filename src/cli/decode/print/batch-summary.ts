/** One line a record batch from its header alone, with its checksum verified: fast enough for whole disks.
 * Not here: the records, which are not looked at.
 */
import { batchHead, checksums, V2_HEADER_BYTES } from '../input/batch-head.ts';
import type { LogBatch } from '../piece.ts';
import type { Totals } from './printer.ts';
import type { Colours } from './style.ts';
import { attributesOf } from './values.ts';

/** The line of a batch; counts it. */
export function batchSummary({ bytes, at }: LogBatch, totals: Totals, colours: Colours): string[] {
  totals.batches++;
  const head = batchHead(bytes, 0);
  const place = colours.dim(`@${at} +${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const lacks = head.length - bytes.length;
  if (lacks !== 0 || (head.magic === 2 && bytes.length < V2_HEADER_BYTES)) {
    totals.damaged++;
    const what = lacks > 0 ? `${lacks} bytes are not there` : `the next batch begins ${-lacks} bytes later`;
    return [`${place} ${colours.red(`✗ @${at + 8} batchLength: it says ${head.length} bytes; ${what}`)}\n`];
  }
  const crcAt = head.magic === 2 ? 17 : 12;
  const { stored, computed } = checksums(bytes, 0, bytes.length, head.magic);
  const isSound = stored === computed;
  if (!isSound) totals.damaged++;
  const checksum = isSound
    ? colours.green('crc ok')
    : colours.red(`✗ @${at + crcAt} crc: ${hex(stored)} is stored, the bytes have ${hex(computed)}`);
  return [
    `${place} ${head.magic === 2 ? v2Text(view, totals) : messageText(view, head.magic, totals)}, ${checksum}\n`,
  ];
}

function v2Text(view: DataView, totals: Totals): string {
  const first = view.getBigInt64(0);
  const count = view.getInt32(57);
  totals.records += Math.max(0, count);
  const parts = [
    `offsets ${first}..${first + BigInt(view.getInt32(23))}`,
    `${count} ${count === 1 ? 'record' : 'records'}`,
  ];
  const attributes = attributesOf(view.getInt16(21));
  if (attributes !== '') parts.push(attributes);
  const producerId = view.getBigInt64(43);
  if (producerId !== -1n)
    parts.push(`producer ${producerId} epoch ${view.getInt16(51)} sequence ${view.getInt32(53)}`);
  parts.push(`leader epoch ${view.getInt32(12)}`, timeText(Number(view.getBigInt64(35))));
  return parts.join(', ');
}

function messageText(view: DataView, magic: number, totals: Totals): string {
  totals.records++;
  const attributes = attributesOf(view.getInt8(17) & 0x0f);
  return [`offset ${view.getBigInt64(0)}`, `message v${magic}`, attributes].filter(Boolean).join(', ');
}

function timeText(timestamp: number): string {
  const isTime = timestamp >= 0 && timestamp <= 8.64e15;
  return isTime ? new Date(timestamp).toISOString() : `timestamp ${timestamp}`;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}

/** One line about a frame, a batch, a fault or everything: what it is and where it lies.
 * Not here: what is inside (tree.ts).
 */
import type { Suspect } from '../diagnosing.ts';
import type { Damage, Explanation } from '../explanation.ts';
import type { Identity } from '../identify/identity.ts';
import type { Fault, Frame, LogBatch, Route } from '../piece.ts';
import type { Explained, Totals } from './printer.ts';
import type { Colours } from './style.ts';
import { attributesOf, shortened } from './values.ts';

/** Where offsets of a piece count from: the input, or in a capture the frame, whose bytes lie in several packets. */
export function baseOf(piece: Frame | LogBatch): number {
  return piece.kind === 'frame' && piece.route ? 0 : piece.at;
}

/** What a piece is, and where. */
export function heading(explained: Explained, index: number, colours: Colours): string {
  const { piece } = explained;
  const place = colours.dim(`@${piece.at} +${piece.bytes.length}`);
  if (!('identity' in explained))
    return `${colours.bold(batchTitle(explained.explanation, explained.piece))} ${place}`;
  const { identity, explanation } = explained;
  const parts = [colours.bold(`#${index + 1} ${frameTitle(identity)}`)];
  const { correlationId, clientId } = explanation;
  if (correlationId !== undefined) parts.push(`correlation ${correlationId}`);
  if (typeof clientId === 'string') parts.push(`client ${shortened(clientId)}`);
  const route = explained.piece.route ? `${routeText(explained.piece.route)} ` : '';
  const time = timeText(explained.piece.timeUs);
  return `${parts.join(', ')} ${colours.dim(`${route}${time}`)}${place}${howKnown(identity, colours)}`;
}

function frameTitle(identity: Identity): string {
  if (identity.kind === 'token') return `SASL token, ${identity.side ?? 'side unknown'}: opaque bytes`;
  if (identity.kind === 'unknown') return `unknown frame: ${identity.reason}`;
  const { api, version, side, headerVersion } = identity;
  return `${api.name} ${side} v${version}${headerVersion === undefined ? ', no header' : ''}`;
}

/** What a trial leaves open. */
function howKnown(identity: Identity, colours: Colours): string {
  if (identity.kind !== 'message' || identity.by !== 'trial') return '';
  const { alternatives } = identity;
  const shown = alternatives.slice(0, 5).join(', ');
  const more = alternatives.length > 5 ? ` and ${alternatives.length - 5} more` : '';
  return colours.yellow(alternatives.length === 0 ? ' by trial' : ` by trial; as well: ${shown}${more}`);
}

function batchTitle({ fields }: Explanation, { topic }: LogBatch): string {
  const batch = fields.find(({ children }) => children !== undefined);
  const whose = topic === undefined ? '' : ` of ${topic}`;
  const value = (name: string): unknown =>
    batch?.children?.find(({ path }) => path.endsWith(`.${name}`))?.value;
  const magic = value('magic');
  const attributes = value('attributes');
  const said = typeof attributes === 'number' ? attributesOf(attributes) : '';
  const end = said === '' ? '' : `, ${said}`;
  if (magic === 0 || magic === 1) return `message v${magic}${whose} offset ${String(value('offset'))}${end}`;
  const [first, delta, count] = [value('baseOffset'), value('lastOffsetDelta'), value('recordCount')];
  if (typeof first !== 'number' || typeof delta !== 'number' || typeof count !== 'number')
    return `batch${whose}`;
  return `batch${whose} offsets ${first}..${first + delta}, ${counted(count, 'record')}${end}`;
}

/** Two ends of a connection. */
export function routeText({ connection, source, destination }: Route): string {
  return `${source} → ${destination} (${connection})`;
}

function timeText(timeUs: number | undefined): string {
  if (timeUs === undefined) return '';
  const iso = new Date(timeUs / 1000).toISOString().slice(11, -1);
  return `${iso}${String(Math.floor(timeUs % 1000)).padStart(3, '0')} `;
}

/** Where a damage lies and what was expected there. */
export function damageText(damage: Damage, base: number, colours: Colours): string {
  const { space, offset, path, what, suspect } = damage;
  const where = space === 0 ? `@${base + offset}` : `#${space}@${offset}`;
  const text = `✗ ${where}${path === undefined ? '' : ` ${path}`}: ${what}`;
  return colours.red(suspect ? `${text}; ${suspectText(suspect, base)}` : text);
}

function suspectText({ offset, path, found, expected, by }: Suspect, base: number): string {
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
  const whose = path === undefined ? '' : ` of ${path}`;
  const sure = by === 'checksum' ? 'as the checksum says' : 'most likely';
  return `${sure}, byte @${base + offset}${whose} is wrong: ${hex(found)}, where ${hex(expected)} should be`;
}

/** Bytes that are no piece. */
export function faultText({ at, skipped, what, isDamage, route }: Fault, colours: Colours): string {
  const where = `@${at}${skipped > 0 ? ` +${skipped}` : ''}`;
  const text = `${where} ${what}${skipped > 0 ? `; ${skipped} bytes passed over` : ''}`;
  const whose = route ? ` ${routeText(route)}` : '';
  return isDamage ? colours.red(`✗ ${text}${whose}`) : colours.yellow(`- ${text}${whose}`);
}

/** What was found in all. */
export function totalsText(totals: Totals): string {
  const { frames, requests, responses, batches, records, damaged, skippedBytes } = totals;
  const parts: string[] = [];
  if (frames > 0)
    parts.push(
      `${counted(frames, 'frame')} (${counted(requests, 'request')}, ${counted(responses, 'response')})`,
    );
  if (batches > 0) parts.push(`${counted(batches, 'batch', 'batches')}, ${counted(records, 'record')}`);
  if (parts.length === 0) parts.push('nothing found');
  parts.push(damaged === 0 ? 'no damage' : `${counted(damaged, 'damaged place')}`);
  if (skippedBytes > 0) parts.push(`${counted(skippedBytes, 'byte')} passed over`);
  return parts.join(', ');
}

function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

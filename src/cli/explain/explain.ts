/** `kafka-wire explain`: what an error code, an API or one version of an API is, as lines of text.
 * Not here: arguments and colours (the command), the facts (facts.json and error-meanings.ts).
 * Invariant: nothing is known here that the tables, the releases or the notes do not say.
 */
import { errorCode, requestHeaderVersion, responseHeaderVersion, type Message } from 'kafka-wire/protocol';
import { api as apiOf } from 'kafka-wire/protocol/registry';
import { errorMeanings } from './error-meanings.ts';
import facts from './facts.json' with { type: 'json' };

type Plan = ReturnType<Message<unknown>['plan']>;
type ApiFacts = (typeof facts.apis)[number];

/** The explanations of `what`: an error code's number or name, an API's key or name, or `Fetch:13`. Several where a
 * number means both; none where it means nothing.
 */
export function explain(what: string): string[] {
  const [name = '', version] = what.split(':');
  const api = findApi(name);
  if (version !== undefined)
    return api && /^v?\d+$/.test(version) ? versionText(api, Number(version.replace('v', ''))) : [];
  return [...errorText(what), ...(api ? [apiText(api)] : [])];
}

function findApi(text: string): ApiFacts | undefined {
  const wanted = text.toLowerCase().replaceAll(/[-_ ]/g, '');
  return facts.apis.find(({ key, name }) => String(key) === text || name.toLowerCase() === wanted);
}

function errorText(text: string): string[] {
  const found = facts.errors.find(({ code, name }) => String(code) === text || name === text.toUpperCase());
  if (!found) return [];
  const { code, name, since } = found;
  const retriable = errorCode(code).retriable ? 'retriable' : 'not retriable';
  const lines = [`error ${code} ${name}, ${retriable}`, errorMeanings().get(name) ?? '', sinceText(since)];
  return [lines.join('\n  ')];
}

const sinceText = (since: string): string =>
  since === facts.releases[0] ? `In Kafka ${since} and later.` : `Since Kafka ${since}.`;

function apiText({ key, name, about, history, versions }: ApiFacts): string {
  const table = apiOf(key);
  const lines = [`API ${key} ${name}`, about];
  if (history) lines.push(history);
  if (table) {
    const { min, max } = table.request.versions;
    const { flexibleSince } = table.request;
    lines.push(
      `Here: v${min} to v${max}${table.unstable ? ` (v${max} is not final)` : ''}, ` +
        (flexibleSince === undefined ? 'never flexible.' : `flexible from v${flexibleSince}.`),
    );
  } else lines.push('Here: no table; the API has no version in current releases.');
  lines.push(`Highest version by release: ${runs(versions).join(', ')}.`);
  return lines.join('\n  ');
}

/** Releases with the same versions, as `3.9-4.0 17`. */
function runs(versions: readonly string[]): string[] {
  const found: { first: string; last: string; versions: string }[] = [];
  for (const [index, text] of versions.entries()) {
    const release = facts.releases[index] ?? '';
    const run = found.at(-1);
    if (run?.versions === text) run.last = release;
    else found.push({ first: release, last: release, versions: text });
  }
  return found.map(
    ({ first, last, versions: text }) => `${first === last ? first : `${first}-${last}`} ${text || 'none'}`,
  );
}

function versionText({ key, name, history, versions }: ApiFacts, version: number): string[] {
  const table = apiOf(key);
  if (!table || version > table.request.versions.max) return [];
  const releases = releasesWith(versions, version);
  if (version < table.request.versions.min)
    return [`${name} v${version}\n  ${releases}\n  Dropped in Kafka 4.0 (KIP-896).`];
  const lines = [
    `${name} v${version}`,
    `Request header v${requestHeaderVersion(table, version)}, response header v${responseHeaderVersion(table, version)}.`,
    releases,
    ...history.split(/(?<=\.) (?=v\d)/).filter((sentence) => new RegExp(`\\bv${version}\\b`).test(sentence)),
    ...changes('Request', table.request, version),
    ...changes('Response', table.response, version),
  ];
  return [lines.join('\n  ')];
}

/** The releases that have a version, as a sentence. */
function releasesWith(versions: readonly string[], version: number): string {
  const found = facts.releases.filter((_, index) => {
    const [low = 0, high = low] = (versions[index] ?? '').match(/\d+/g)?.map(Number) ?? [Infinity];
    return version <= high && (version >= low || !versions[index]?.includes('-'));
  });
  const isFinal = !versions.at(-1)?.includes(`(${version})`);
  if (found.length === 0) return 'In no release from 2.1 on.';
  return `In Kafka ${found[0]} to ${found.at(-1)}${isFinal ? '' : ', and not final'}.`;
}

/** What a version adds to the one before, and what it takes away. */
function changes(side: string, message: Message<unknown>, version: number): string[] {
  const now = fields(message.plan(version));
  if (version === message.versions.min) return [`${side}: ${now.join(', ') || 'no fields'}.`];
  const before = fields(message.plan(version - 1));
  const added = now.filter((field) => !before.includes(field)).map((field) => `+ ${field}`);
  const removed = before.filter((field) => !now.includes(field)).map((field) => `- ${field}`);
  return [`${side}: ${[...added, ...removed].join(', ') || 'as before'}.`];
}

/** Paths of the fields that are there, with kind. */
function fields(plan: Plan, prefix = '', found: string[] = []): string[] {
  for (const step of plan.steps ?? []) {
    if (!step.present) continue;
    const path = `${prefix}${step.name}`;
    const inner = step.element ?? step;
    const kind = step.element ? `${inner.kind}[]` : step.kind;
    found.push(`${path} ${kind}${step.nullable ? ' or null' : ''}`);
    fields(inner, `${path}.`, found);
  }
  return found;
}

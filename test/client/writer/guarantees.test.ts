/** The table of guarantees in docs/writing.md, cell by cell where a broker's script can make the failure: what a call says,
 * and how often the message is then in the log.
 */
import { describe, expect, it } from 'vitest';
import { produceApi } from '../../../src/protocol/api/00-produce.ts';
import type { KafkaError } from '../../../src/errors.ts';
import { sleep } from '../../../src/client/cluster/index.ts';
import { WriteErrors } from '../../../src/client/writer/errors.ts';
import type { WriterSettings } from '../../../src/client/writer/options.ts';
import type { Writer } from '../../../src/client/writer/writer.ts';
import type { Fault } from '../../../src/testing/index.ts';
import { play } from './scene.ts';

const settings = {
  none: { requiredAcks: 0 },
  leader: { requiredAcks: 1 },
  repeating: { idempotent: false },
  default: {},
  transactional: { transactionalId: 'id' },
} as const satisfies Record<string, WriterSettings>;

type Setting = keyof typeof settings;

/** What the call says, and how often the message is in the log. */
type Cell = readonly [outcome: string, times: number];

const failures: Record<string, readonly [Omit<Fault, 'api'>, Record<Setting, Cell>]> = {
  'nothing fails': [
    { delayMs: 1 },
    {
      none: ['written', 1],
      leader: ['written', 1],
      repeating: ['written', 1],
      default: ['written', 1],
      transactional: ['written', 1],
    },
  ],
  'an answer is lost': [
    { outcome: 'silence' },
    {
      none: ['written', 1],
      leader: ['written', 2],
      repeating: ['written', 2],
      default: ['written', 1],
      transactional: ['written', 1],
    },
  ],
  'the connection is lost when the batch is stored': [
    { outcome: 'disconnect' },
    {
      none: ['written', 1],
      leader: ['written', 2],
      repeating: ['written', 2],
      default: ['written', 1],
      transactional: ['written', 1],
    },
  ],
  'the connection is lost before the batch is stored': [
    { outcome: 'disconnect', effect: false },
    {
      none: ['written', 0],
      leader: ['written', 1],
      repeating: ['written', 1],
      default: ['written', 1],
      transactional: ['written', 1],
    },
  ],
  'the broker refuses the batch': [
    { error: 'TOPIC_AUTHORIZATION_FAILED' },
    {
      none: ['written', 0],
      leader: ['BROKER, stored: no', 0],
      repeating: ['BROKER, stored: no', 0],
      default: ['BROKER, stored: no', 0],
      transactional: ['BROKER, stored: no', 0],
    },
  ],
  'replicas are missing until the time is over': [
    { error: 'NOT_ENOUGH_REPLICAS', times: 1000 },
    {
      // A broker counts replicas for `'all'` only: the others meet this code never.
      none: ['written', 0],
      leader: ['TIMEOUT, stored: no', 0],
      repeating: ['TIMEOUT, stored: no', 0],
      default: ['TIMEOUT, stored: no', 0],
      transactional: ['TIMEOUT, stored: no', 0],
    },
  ],
  'the time is over while the batch, which is stored, has no answer': [
    { outcome: 'silence', times: 1000 },
    {
      none: ['written', 1],
      leader: ['TIMEOUT, stored: maybe', 4],
      repeating: ['TIMEOUT, stored: maybe', 4],
      default: ['TIMEOUT, stored: maybe', 1],
      transactional: ['TIMEOUT, stored: maybe', 1],
    },
  ],
};

const cells = Object.entries(failures).flatMap(([failure, [fault, row]]) =>
  Object.entries(row).map(([setting, cell]) => [failure, setting as Setting, fault, cell] as const),
);

async function write(writer: Writer, setting: Setting, value: string): Promise<string> {
  const message = { value };
  const outcome =
    setting === 'transactional'
      ? writer.transaction(async (transaction) => {
          await transaction.writeMessages(message);
        })
      : writer.writeMessages(message);
  return outcome.then(
    () => 'written',
    (error: KafkaError) => {
      const { code, stored } = error instanceof WriteErrors ? (error.errors[0] ?? error) : error;
      return `${code}, stored: ${stored}`;
    },
  );
}

describe('where', () => {
  it.each(cells)('%s, a Writer with %s keeps what the guide says', (_, setting, fault, [said, times]) =>
    play({}, async ({ world, cluster, writer, values }) => {
      const one = writer({ requestTimeoutMs: 1000, deliveryTimeoutMs: 5500, ...settings[setting] });
      expect(await write(one, setting, 'first')).toBe('written');
      // Without acknowledgements nobody has waited for the broker yet.
      await sleep(world.platform, 100);
      const injected = cluster.faults.inject({ api: produceApi, ...fault });
      expect(await write(one, setting, 'second')).toBe(said);
      await sleep(world.platform, 100);
      injected.remove();
      // Whatever happened, what comes later is neither lost nor doubled, if anybody asks for it.
      await write(one, setting, 'third');
      await sleep(world.platform, 100);
      const log = await values();
      expect(log.filter((value) => value === 'second').length).toBe(times);
      if (setting !== 'none') expect(log.filter((value) => value === 'third')).toHaveLength(1);
      expect(log[0]).toBe('first');
    }),
  );
});

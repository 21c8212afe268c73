/**
 * Exactly once through everything: 200,000 records of four Writers through the fault proxy to three real nodes, while nodes
 * are killed and stopped and answers are dropped after the broker has stored the batch. The checker of kafka-wire/testing
 * reads the log back and judges. `npm run soak` repeats it for as long as one likes.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProxiedKafka, type ProxiedKafka } from '../../tools/soak/cluster.ts';
import { runRound, type RoundResult } from '../../tools/soak/round.ts';
import { runSeed } from './support/random.ts';
import { describeWith } from './support/tools.ts';

const records = 200_000;
const measure = { kills: 6, pauses: 4, drops: 200 };

describeWith(['java', 'mvn'], 'three nodes in trouble', () => {
  let cluster: ProxiedKafka | undefined;
  let keepLogs = false;
  beforeAll(async () => {
    cluster = await startProxiedKafka();
  }, 300_000);
  afterAll(() => cluster?.close({ keepLogs }));

  test(
    'lose, double and reorder none of 200,000 records, and settle every call',
    { timeout: 170_000 },
    async ({ onTestFailed }) => {
      const seed = runSeed();
      console.log(`KAFKA_WIRE_SEED=${seed}`);
      onTestFailed(() => {
        keepLogs = true;
      });
      if (cluster === undefined) throw new Error('the cluster did not start');
      const result = await runRound(cluster, { ...measure, records, seed });
      const { report, dropped, retries, seconds, failures } = result;
      console.log(
        `${report.acknowledged} acknowledged, ${retries} retries, ${dropped} answers dropped, ${seconds} s`,
      );
      expect(report.anomalies, kept(result)).toEqual([]);
      expect(failures, 'failed calls').toEqual([]);
      expect(report).toMatchObject({ sent: records, acknowledged: records, read: records, counts: {} });
      expect(dropped, 'answers dropped').toBe(measure.drops);
      expect(retries, 'batches sent again').toBeGreaterThan(measure.drops);
      expect(cluster.proxy.problems).toEqual([]);
    },
  );
});

/** Where the history of a round with anomalies was put. */
function kept({ report, history }: RoundResult): string {
  if (report.anomalies.length === 0) return '';
  const path = join(mkdtempSync(join(tmpdir(), 'kafka-wire-history-')), 'history.jsonl');
  writeFileSync(path, history.toText());
  return `the history is in ${path}`;
}

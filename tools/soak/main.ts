/** `npm run soak -- --minutes 30 [--seed n]`: rounds of trouble on three real nodes until the time is over. Each round has
 * a seed, one more than the last; a round that fails leaves its history in the working directory and ends the run.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startProxiedKafka } from './cluster.ts';
import { runRound, type RoundResult } from './round.ts';

const usage = `Writes through a fault proxy to three Kafka nodes that are killed and paused, and checks the log.
  --minutes <n>       how long, default 30; the last round is finished
  --seed <n>          of the first round, default by the clock
  --records <n>       of a round, default 200000
  --version <release> of Kafka
`;

function line({ report, dropped, retries, seconds }: RoundResult): string {
  const { acknowledged, sent, maybe, failed, counts } = report;
  const found = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  const figures = [
    `${acknowledged} of ${sent} acknowledged`,
    `${maybe} maybe`,
    `${failed} failed`,
    `${dropped} answers dropped`,
    `${retries} retries`,
    `${seconds.toFixed(0)} s`,
    found.length === 0 ? 'no anomaly' : found.join(', '),
  ];
  return figures.join(', ');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '30' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      records: { type: 'string', default: '200000' },
      version: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return void process.stdout.write(usage);
  const untilMs = Date.now() + Number(values.minutes) * 60_000;
  const kafka = await startProxiedKafka(values.version);
  let keepLogs = false;
  try {
    for (let seed = Number(values.seed); Date.now() < untilMs; seed++) {
      process.stdout.write(`seed ${seed}: `);
      const result = await runRound(kafka, {
        seed,
        records: Number(values.records),
        kills: 6,
        pauses: 4,
        drops: 200,
      });
      process.stdout.write(`${line(result)}\n`);
      const { anomalies } = result.report;
      if (anomalies.length === 0 && result.failures.length === 0) continue;
      keepLogs = true;
      const path = `soak-${seed}.jsonl`;
      writeFileSync(path, result.history.toText());
      const reasons = [...anomalies.map(({ name, what }) => `${name}: ${what}`), ...result.failures];
      throw new Error(`${reasons.join('\n')}\nThe history is in ${path}; repeat with --seed ${seed}`);
    }
  } finally {
    await kafka.close({ keepLogs });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

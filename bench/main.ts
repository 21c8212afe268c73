/** `npm run bench`: our client, its peers and the least that could do the same, in one run, on Node 24. `-- produce`,
 * `-- consume` and `-- codec` are its parts; without an argument all of them run. Exits with 1 when a factor does not hold.
 * `--only TEXT` names scenarios of produce by a part of their title, `--records` and `--rounds` change the size of consume.
 */
import { existsSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { run } from '../tools/kafka/process.ts';
import { Broker } from './broker.ts';
import { benchCodec } from './codec/main.ts';
import { benchConsume } from './consume/main.ts';
import { benchProduce } from './produce/main.ts';

const here = fileURLToPath(new URL('../bench/', import.meta.url));
const node24 = `${here}node_modules/node24/bin/node`;
const parts = ['produce', 'consume', 'codec'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    records: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
  },
});
const [part] = positionals;
if (part !== undefined && !parts.includes(part)) throw new Error(`not ${part}, but ${parts.join(', ')}`);
const isAsked = (name: string): boolean => part === undefined || part === name;

if (!existsSync(node24)) await run('npm', ['ci', '--ignore-scripts'], { cwd: here, timeoutMs: 300_000 });
let holds = true;
if (isAsked('produce') || isAsked('consume')) {
  await using broker = await Broker.start();
  console.log(`Kafka ${broker.version}, Node 24`);
  if (isAsked('produce')) holds = await benchProduce(here, node24, broker, values.only);
  const size = { records: Number(values.records), rounds: Number(values.rounds) };
  if (isAsked('consume')) await benchConsume(here, node24, broker, size);
}
if (isAsked('codec')) holds = (await benchCodec(here, node24)) && holds;
if (!holds) process.exitCode = 1;

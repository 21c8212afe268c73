/** The contract as a process of Node, Bun or Deno; then it leaves everything open and must end by itself all the same.
 * Not here: the cases.
 * Invariant: nothing but `holdOpen` keeps this process alive, from the first line on.
 */
import { platform } from '#platform';
import { runContract } from './contract.ts';
import type { ContractEnvironment } from './contract-kit.ts';

const environment = JSON.parse(process.env['GIVEN'] ?? '') as ContractEnvironment;
const release = platform.holdOpen();
process.exitCode = (await runContract(environment)) === 0 ? 0 : 1;

const { bun, deno, node } = process.versions;
console.log(`version ${bun ?? deno ?? node}`);

const idle = await platform.dial(environment.peer, { connectTimeoutMs: 60_000 });
await platform.listen?.({ host: '127.0.0.1', port: 0 }, () => undefined);
platform.setTimer(600_000, () => console.log('a timer outlived its process'));
const read = idle.read();
read.then(
  () => console.log('the peer ended first'),
  (error: unknown) => console.log(String(error)),
);
release();
release();

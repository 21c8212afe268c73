/** Runs an example by name: `npm run example -- idempotent`, with `--brokers host:port` on any cluster. Without a name it
 * lists them.
 */
import { readdir } from 'node:fs/promises';
import process from 'node:process';

const files = await readdir(new URL('.', import.meta.url));
const names = files
  .filter((file) => file.endsWith('.js') && file !== 'index.js')
  .map((file) => file.slice(0, -'.js'.length))
  .sort();
const [name = ''] = process.argv.splice(2, 1);

if (names.includes(name)) await import(new URL(`${name}.js`, import.meta.url).href);
else {
  console.log(
    `usage: npm run example -- <name> [--brokers host:port,...], where <name> is ${names.join(', ')}`,
  );
  process.exitCode = name === '' ? 0 : 2;
}

/** The smoke as a process of Node, Bun or Deno. Nothing keeps it alive but the client's pending calls (C4): at the end
 * it leaves a Writer and a Reader open, and must end by itself all the same.
 * Not here: what the smoke does.
 */
import { Reader, Writer } from '../../src/index.ts';
import { runSmoke, type SmokeEnvironment } from './smoke.ts';

const environment = JSON.parse(process.env['GIVEN'] ?? '') as SmokeEnvironment;
await runSmoke(environment);

const { brokers, topic } = environment;
await new Writer({ brokers, topic }).writeMessages({ value: 'the last one' });
await new Reader({ brokers, topic, partition: 0 }).fetchMessage();
console.log('the smoke has passed');

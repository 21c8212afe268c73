/** C4: an idle client never keeps a process alive; pending work does. Real processes against the embedded broker.
 * A child that should end by itself has no other reason to: it calls neither `close()` nor `process.exit()`.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Writer } from '../src/index.ts';
import { EmbeddedCluster } from '../src/testing/index.ts';
import { buildPackage, type BuiltPackage, type Child } from './support/built-package.ts';

/** How long an idle process may take to end, start and group membership included. */
const idleMs = 10_000;

let built: BuiltPackage;
let cluster: EmbeddedCluster;
let topics = 0;

beforeAll(async () => {
  built = await buildPackage();
  cluster = await EmbeddedCluster.start({ holdOpen: false });
});

afterAll(async () => {
  await cluster.close();
  built.remove();
});

function newTopic(): string {
  const name = `liveness-${topics++}`;
  cluster.createTopic({ name });
  return name;
}

/** Starts a program that has `brokers` and everything of the package at hand. */
function start(program: string, brokers: readonly string[] = cluster.brokers): Child {
  const head = `import { Client, Reader, Writer } from 'kafka-wire';\nconst brokers = ${JSON.stringify(brokers)};\n`;
  return built.start(head + program, { limitMs: idleMs });
}

async function write(topic: string, value: string): Promise<void> {
  const writer = new Writer({ brokers: cluster.brokers, topic });
  await writer.writeMessages({ value });
  await writer.close();
}

async function ends(child: Child, stdout: string): Promise<void> {
  expect(await child.ended).toMatchObject({ code: 0, stdout, stderr: '' });
}

describe('an idle process ends by itself', () => {
  it('with a client, a writer and readers that were only made', async () => {
    const child = start(`
new Client({ brokers });
new Writer({ brokers, topic: 't' });
new Reader({ brokers, topic: 't', partition: 0 });
new Reader({ brokers, groupId: 'g', topics: ['t'] });
console.log('made');`);
    await ends(child, 'made\n');
  });

  it('with a writer that has written and is open', async () => {
    const topic = newTopic();
    const child = start(`
const writer = new Writer({ brokers, topic: '${topic}' });
await writer.writeMessages({ value: 'a' });
console.log('written');`);
    await ends(child, 'written\n');
    expect(await cluster.records(topic, 0)).toHaveLength(1);
  });

  it('with a reader that has read and prefetches', async () => {
    const topic = newTopic();
    await write(topic, 'a');
    const child = start(`
const reader = new Reader({ brokers, topic: '${topic}', partition: 0 });
console.log((await reader.fetchMessage()).text());`);
    await ends(child, 'a\n');
  });

  it('with a member of a group, heartbeats or not', async () => {
    const topic = newTopic();
    await write(topic, 'a');
    const child = start(`
const reader = new Reader({ brokers, groupId: 'idle', topics: ['${topic}'] });
const message = await reader.fetchMessage();
await reader.commitMessages(message);
console.log(message.text());`);
    await ends(child, 'a\n');
    expect(cluster.committed('idle')).toMatchObject([{ topic, partition: 0, offset: 1 }]);
  });

  it('when a call was withdrawn by its signal', async () => {
    const topic = newTopic();
    const child = start(`
const reader = new Reader({ brokers, topic: '${topic}', partition: 0 });
await reader.fetchMessage({ signal: AbortSignal.timeout(500) }).catch((error) => console.log(error.name));
`);
    // AbortSignal.timeout does not keep a process alive, the pending call does.
    await ends(child, 'TimeoutError\n');
  });
});

describe('pending work keeps the process alive', () => {
  it('a fetchMessage until a message comes, of a partition and of a group', async () => {
    const topic = newTopic();
    const children = ["partition: 0, topic: '", "groupId: 'pending', topics: ['"].map((what, index) =>
      start(`
const reader = new Reader({ brokers, ${what}${topic}'${index === 1 ? ']' : ''} });
console.log('waiting');
console.log((await reader.fetchMessage()).text());`),
    );
    await Promise.all(children.map((child) => child.printed('waiting')));
    // Long enough for a process with nothing to do to have ended.
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(children.map(({ running }) => running)).toEqual([true, true]);
    await write(topic, 'late');
    await Promise.all(children.map((child) => ends(child, 'waiting\nlate\n')));
  });

  it('a for await loop, and it ends after break', async () => {
    const topic = newTopic();
    const child = start(`
const reader = new Reader({ brokers, groupId: 'loop', topics: ['${topic}'] });
console.log('waiting');
for await (const message of reader) {
  console.log(message.text());
  if (message.text() === 'b') break;
}`);
    await child.printed('waiting');
    await write(topic, 'a');
    await child.printed('a\n');
    expect(child.running).toBe(true);
    await write(topic, 'b');
    await ends(child, 'waiting\na\nb\n');
  });

  it('records that nobody awaits until they are stored', async () => {
    const topic = newTopic();
    const child = start(`
const writer = new Writer({ brokers, topic: '${topic}', batchTimeoutMs: 300 });
for (let n = 0; n < 10; n++) writer.enqueue({ value: String(n) });
console.log('enqueued');`);
    await ends(child, 'enqueued\n');
    expect(await cluster.records(topic, 0)).toHaveLength(10);
  });

  it('a request and a write while the broker is away, until their deadline', async () => {
    const child = start(
      `
const client = new Client({ brokers, requestTimeoutMs: 800 });
const writer = new Writer({ client, topic: 't', deliveryTimeoutMs: 1200 });
const began = Date.now();
await writer.writeMessages({ value: 'a' }).catch((error) => console.log(error.errors[0].stored));
console.log(Date.now() - began >= 700);`,
      ['127.0.0.1:1'],
    );
    await ends(child, 'no\ntrue\n');
  });
});

/** `npm run kafka -- --nodes 3 --version 4.3.1`: real Kafka on loopback until Ctrl-C. The command line of launcher.ts. */
import { parseArgs } from 'node:util';
import { defaultKafkaVersion } from './distribution.ts';
import { startKafka } from './launcher.ts';

const usage = `Starts Apache Kafka on 127.0.0.1 and runs it until Ctrl-C.
  --nodes 1|3              default 1
  --version <release>      default ${defaultKafkaVersion}; the first use fetches its jars with Maven
  --property <name=value>  a server property; may be repeated
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string', default: '1' },
      version: { type: 'string', default: defaultKafkaVersion },
      property: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return void process.stdout.write(usage);
  if (values.nodes !== '1' && values.nodes !== '3')
    throw new Error(`--nodes must be 1 or 3, not ${values.nodes}`);
  const properties = Object.fromEntries(
    values.property.map((text) => {
      const equals = text.indexOf('=');
      if (equals < 1) throw new Error(`--property must be name=value, not ${text}`);
      return [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
  const started = Date.now();
  const cluster = await startKafka({
    nodes: values.nodes === '3' ? 3 : 1,
    version: values.version,
    ...(values.property.length > 0 && { properties }),
  });
  process.stdout.write(`Kafka ${cluster.version}, ready in ${Date.now() - started} ms; Ctrl-C ends it\n`);
  for (const node of cluster.nodes) {
    process.stdout.write(`  node ${node.nodeId}  ${node.address}  pid ${node.pid}  log ${node.logPath}\n`);
  }
  process.stdout.write(`brokers: ${cluster.brokers.join()}\n`);
  await new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await cluster.close();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

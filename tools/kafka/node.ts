/**
 * One Kafka node: a JVM that can be killed, stopped, paused and started again on the same ports with the same data.
 * It knows nothing of the other nodes; `launcher.ts` makes clusters. Readiness is what the broker itself answers.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { javaArguments } from './distribution.ts';
import { aliveBrokers } from './probe.ts';
import { killGroup, spawnTethered, tail } from './process.ts';
import type { NodePlan } from './properties.ts';

/** What a node is started with. */
export interface NodeSetting {
  readonly plan: NodePlan;
  readonly version: string;
  readonly propertiesPath: string;
  readonly logPath: string;
  readonly heapMb: number;
  /** More options of the JVM. */
  readonly jvm: readonly string[];
}

const readyTimeoutMs = 60_000;
const stopTimeoutMs = 20_000;

export class KafkaNode {
  readonly nodeId: number;
  /** "host:port" by listener name: INTERNAL, CLIENT, CONTROLLER and those asked for. */
  readonly addresses: ReadonlyMap<string, string>;
  /** The file with all the node has logged, over its restarts. Deleted by the cluster's `close()`. */
  readonly logPath: string;
  readonly #setting: NodeSetting;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #paused = false;

  constructor(setting: NodeSetting) {
    this.nodeId = setting.plan.nodeId;
    this.addresses = new Map([...setting.plan.ports].map(([name, port]) => [name, `127.0.0.1:${port}`]));
    this.logPath = setting.logPath;
    this.#setting = setting;
  }

  /** Where clients connect: the CLIENT listener's "host:port". */
  get address(): string {
    return this.addresses.get('CLIENT') ?? '';
  }

  /** The JVM's process id; undefined while it is down. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the JVM and waits until the node lists all of `expected` as alive. Rejects with the log's reasons. */
  async start(expected: readonly number[] = [this.nodeId]): Promise<void> {
    if (this.#child !== undefined) throw new Error(`node ${this.nodeId} is running`);
    const { version, propertiesPath, heapMb, jvm, plan } = this.#setting;
    const args = await javaArguments(version, 'kafka.Kafka', [propertiesPath], {
      heapMb,
      jvm,
      logLevel: 'info',
    });
    const log = openSync(this.logPath, 'a');
    const child = spawnTethered('java', args, { stdio: ['ignore', log, log], scratch: plan.dataDirectory });
    closeSync(log);
    this.#child = child;
    this.#paused = false;
    this.#exited = new Promise((resolve) => {
      const gone = (): void => {
        this.#child = undefined;
        resolve();
      };
      child.once('exit', gone);
      child.once('error', gone);
    });
    await this.#ready(child, expected);
  }

  async #ready(child: ChildProcess, expected: readonly number[]): Promise<void> {
    const giveUp = Date.now() + readyTimeoutMs;
    const address = this.addresses.get('INTERNAL') ?? ''; // CLIENT may be advertised elsewhere, behind a proxy
    while (this.#child === child) {
      const alive = await aliveBrokers(address).catch((): number[] => []); // not yet: asked again below
      if (expected.every((id) => alive.includes(id))) return;
      if (Date.now() > giveUp) throw this.#failure(`was not ready after ${readyTimeoutMs} ms`);
      await delay(25);
    }
    throw this.#failure(
      `ended with ${child.signalCode ?? `exit code ${child.exitCode}`} before it was ready`,
    );
  }

  #failure(what: string): Error {
    const log = readFileSync(this.logPath, 'utf8');
    const reasons = log
      .split('\n')
      .filter((line) => /Fatal error|^Caused by|BindException|\bERROR\b/.test(line));
    const shown = reasons.length > 0 ? reasons.slice(0, 8).join('\n') : tail(log);
    return new Error(`Kafka node ${this.nodeId} ${what}; log: ${this.logPath}\n${shown}`);
  }

  /** SIGKILL: the machine loses power. Settles when the process is gone. */
  async kill(): Promise<void> {
    if (this.#child !== undefined) killGroup(this.#child);
    await this.#exited;
  }

  /** SIGTERM: a controlled shutdown. Killed if it takes more than 20 s, as without a quorum. */
  async stop(): Promise<void> {
    if (this.#paused) this.resume();
    this.#child?.kill('SIGTERM');
    const force = setTimeout(() => void this.kill(), stopTimeoutMs);
    await this.#exited;
    clearTimeout(force);
  }

  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
    this.#paused = true;
  }

  /** SIGCONT: ends a pause. */
  resume(): void {
    this.#child?.kill('SIGCONT');
    this.#paused = false;
  }

  /** Starts the node again with its data and ports, after a controlled stop if it runs; ready when this settles. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }
}

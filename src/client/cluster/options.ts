/** The options that every constructor shares, their defaults, and the checks that name a wrong one.
 * Invariant: an error names the option, the limit and the size or type of the value, never the value itself
 * where that may be a secret or a payload.
 */
import { UsageError } from '../../errors.ts';
import type { Dial, Platform, TlsOptions } from '../../platform.ts';
import { defaultPlatform } from '../default-platform.ts';
import { FinalizedFeatures } from '../connection/features.ts';
import { silentLogger, type Logger } from '../connection/logger.ts';

/** How to reach a cluster. */
export interface ClientOptions {
  /** Bootstrap addresses `host:port` (port 9092 if left out), as an array or separated by commas.
   * Kafka: `bootstrap.servers`. */
  readonly brokers: string | readonly string[];
  /** Name for the broker's logs and quotas. Default `kafka-wire`. Kafka: `client.id`. */
  readonly clientId?: string | undefined;
  /** TLS for every connection. Default: none. */
  readonly tls?: TlsOptions | true | undefined;
  /** Opens connections instead of the runtime's own sockets: proxies, tunnels, tests. */
  readonly dial?: Dial | undefined;
  /** Receives what the client heals by itself. Default: silent. */
  readonly logger?: Logger | undefined;
  /** Sockets, clock, timers and random numbers. Default: the runtime's. Tests pass a virtual one. */
  readonly platform?: Platform | undefined;
  /** Milliseconds for dialling and the handshake, 1-2147483647, default 10,000.
   * Kafka: `socket.connection.setup.timeout.ms`. */
  readonly connectTimeoutMs?: number | undefined;
  /** Milliseconds until an unanswered request fails, 1-2147483647, default 30,000. Kafka: `request.timeout.ms`. */
  readonly requestTimeoutMs?: number | undefined;
  /** Milliseconds until metadata is asked for again without need, 1-2147483647, default 300,000.
   * Kafka: `metadata.max.age.ms`. */
  readonly metadataMaxAgeMs?: number | undefined;
  /** Milliseconds until an unused socket is closed, 1-2147483647, default 300,000 (address translators drop at 350 s).
   * Kafka: `connections.max.idle.ms`. */
  readonly connectionMaxIdleMs?: number | undefined;
  /** Largest response that is read, in bytes, 1 KiB to 1 GiB, default 100 MiB. */
  readonly maxFrameBytes?: number | undefined;
  /** Whether asking for an unknown topic may create it, if the broker allows. Default false.
   * Kafka: `allow.auto.create.topics`. */
  readonly allowAutoTopicCreation?: boolean | undefined;
}

/** One bootstrap address. */
export interface BootstrapAddress {
  readonly host: string;
  readonly port: number;
}

/** `ClientOptions` with every default filled in. */
export interface ResolvedClientOptions {
  readonly bootstrap: readonly BootstrapAddress[];
  readonly clientId: string;
  readonly tls: TlsOptions | undefined;
  readonly dial: Dial;
  readonly logger: Logger;
  readonly platform: Platform;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly metadataMaxAgeMs: number;
  readonly connectionMaxIdleMs: number;
  readonly maxFrameBytes: number;
  readonly allowAutoTopicCreation: boolean;
  /** What the cluster runs, learned on each connection. */
  readonly features: FinalizedFeatures;
}

/** Largest delay a timer takes, about 24.8 days. */
export const maxTimerMs = 2_147_483_647;

function describe(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return `a string of ${value.length} characters`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return value === null ? 'null' : typeof value;
}

/** A mistake in an option, in one form for all: what is wanted, and what came. */
export function optionError(option: string, wanted: string, value: unknown): UsageError {
  return new UsageError(`Option ${option} must be ${wanted}; got ${describe(value)}`);
}

/** An option that passes its check, or its default when it is left out. */
function option<T>(
  name: string,
  value: unknown,
  fallback: T | undefined,
  wanted: string,
  isGood: boolean,
): T {
  if (value === undefined && fallback !== undefined) return fallback;
  if (isGood) return value as T;
  throw optionError(name, wanted, value);
}

/** An integer option within its limits, or its default when it is left out. */
export function integerOption(
  name: string,
  value: unknown,
  fallback: number,
  min: number,
  max: number,
): number {
  const isGood = Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
  return option(name, value, fallback, `an integer from ${min} to ${max}`, isGood);
}

/** A boolean option, or its default. */
export function booleanOption(name: string, value: unknown, fallback: boolean): boolean {
  return option(name, value, fallback, 'true or false', typeof value === 'boolean');
}

/** A non-empty string option, or its default; required where there is no default. */
export function stringOption(name: string, value: unknown, fallback?: string): string {
  return option(name, value, fallback, 'a non-empty string', typeof value === 'string' && value !== '');
}

/** A function option, or its default. */
export function functionOption<T>(name: string, value: T | undefined, fallback: T): T {
  return option(name, value, fallback, 'a function', typeof value === 'function');
}

/** Refuses options that do not exist, so that a misspelt one is not silently the default. */
export function refuseUnknownOptions(what: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new UsageError(`${what} takes an options object; got ${describe(options)}`);
  }
  for (const option of Object.keys(options)) {
    if (!known.includes(option)) throw new UsageError(`${what} has no option ${option.slice(0, 100)}`);
  }
}

/** Names of the options of `ClientOptions`. */
export const clientOptionNames: readonly string[] = [
  'brokers',
  'clientId',
  'tls',
  'dial',
  'logger',
  'platform',
  'connectTimeoutMs',
  'requestTimeoutMs',
  'metadataMaxAgeMs',
  'connectionMaxIdleMs',
  'maxFrameBytes',
  'allowAutoTopicCreation',
];

/** Parses `host`, `host:port` or `[v6]:port`. */
export function parseAddress(text: string): BootstrapAddress {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]\s/]+))(?::(\d{1,5}))?$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? 9092 : Number(match[3]);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new UsageError(
      `Option brokers has an address that is not host:port (port 1-65535): ${text.slice(0, 200)}`,
    );
  }
  return { host, port };
}

function parseBrokers(brokers: unknown): readonly BootstrapAddress[] {
  const list: unknown[] =
    typeof brokers === 'string' ? brokers.split(',') : Array.isArray(brokers) ? brokers : [];
  const addresses = list.map((entry) => {
    if (typeof entry !== 'string') throw optionError('brokers', 'host:port strings', entry);
    return parseAddress(entry);
  });
  if (addresses.length === 0) throw optionError('brokers', 'at least one host:port', brokers);
  return addresses;
}

/** Checks the options and fills in the defaults; does no I/O. Throws a `UsageError` that names a wrong option. */
export function resolveClientOptions(options: ClientOptions): ResolvedClientOptions {
  const platform = options.platform ?? defaultPlatform;
  const ms = (name: keyof ClientOptions, fallback: number): number =>
    integerOption(name, options[name], fallback, 1, maxTimerMs);
  return Object.freeze({
    bootstrap: parseBrokers(options.brokers),
    clientId: stringOption('clientId', options.clientId, 'kafka-wire'),
    tls: options.tls === true ? {} : options.tls,
    dial: functionOption('dial', options.dial, platform.dial),
    logger: options.logger ?? silentLogger,
    platform,
    connectTimeoutMs: ms('connectTimeoutMs', 10_000),
    requestTimeoutMs: ms('requestTimeoutMs', 30_000),
    metadataMaxAgeMs: ms('metadataMaxAgeMs', 300_000),
    connectionMaxIdleMs: ms('connectionMaxIdleMs', 300_000),
    maxFrameBytes: integerOption('maxFrameBytes', options.maxFrameBytes, 100 * 2 ** 20, 1024, 2 ** 30),
    allowAutoTopicCreation: booleanOption('allowAutoTopicCreation', options.allowAutoTopicCreation, false),
    features: new FinalizedFeatures(),
  });
}

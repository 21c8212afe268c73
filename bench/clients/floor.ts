/** The floor: a raw socket that knows the frames. It sends one ready-made Produce frame a partition again and again, and
 * fetches without looking into the records; what a client costs beyond this is bookkeeping, encoding and decoding.
 */
import { connect, type Socket } from 'node:net';
import {
  encodeRecordBatch,
  fetchApi,
  produceApi,
  requestHeader,
  type FetchResponse,
} from 'kafka-wire/protocol';
import { callRecords, payloads, type Contestant, type Work } from './client.ts';

const fetchVersion = 12;
const produceVersion = 9;

/** One socket, one request at a time per lane. */
class RawSocket {
  readonly #socket: Socket;
  readonly #waiting: ((frame: Buffer) => void)[] = [];
  #chunks: Buffer[] = [];
  #bytes = 0;
  #needed = -1;

  constructor(broker: string) {
    const [host = '', port = ''] = broker.split(':');
    this.#socket = connect({ host, port: Number(port), noDelay: true });
    this.#socket.on('data', (chunk) => this.#receive(chunk));
  }

  /** Sends a frame and resolves with the answer, without its length. */
  exchange(frame: Uint8Array): Promise<Buffer> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#socket.write(frame);
    });
  }

  end(): void {
    this.#socket.end();
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    for (;;) {
      if (this.#needed < 0) {
        if (this.#bytes < 4) return;
        if ((this.#chunks[0]?.length ?? 0) < 4) this.#chunks = [Buffer.concat(this.#chunks)];
        this.#needed = 4 + (this.#chunks[0]?.readInt32BE(0) ?? 0);
      }
      if (this.#bytes < this.#needed) return;
      const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
      const frame = all.subarray(4, this.#needed);
      const rest = all.subarray(this.#needed);
      this.#chunks = rest.length > 0 ? [rest] : [];
      this.#bytes = rest.length;
      this.#needed = -1;
      this.#waiting.shift()?.(frame);
    }
  }
}

function frame(apiKey: number, apiVersion: number, body: Uint8Array): Uint8Array {
  const header = requestHeader.encode({ apiKey, apiVersion, correlationId: 1, clientId: 'floor' }, 2);
  const bytes = new Uint8Array(4 + header.length + body.length);
  new DataView(bytes.buffer).setInt32(0, header.length + body.length);
  bytes.set(header, 4);
  bytes.set(body, 4 + header.length);
  return bytes;
}

/** Fetches once from every partition of the topic. */
async function fetchOnce(
  socket: RawSocket,
  topic: string,
  offsets: readonly number[],
): Promise<FetchResponse> {
  const partitions = offsets.map((fetchOffset, partition) => ({
    partition,
    fetchOffset,
    partitionMaxBytes: 2 ** 20,
  }));
  const limits = { maxWaitMs: 500, minBytes: 1, maxBytes: 16 * 2 ** 20 };
  const body = fetchApi.request.encode({ ...limits, topics: [{ topic, partitions }] }, fetchVersion);
  const answer = await socket.exchange(frame(1, fetchVersion, body));
  return fetchApi.response.decode(answer.subarray(5), fetchVersion);
}

/** Frames of 1,000 records for partition 0, 1, ... in turn. */
export function floor({ broker, topic, partitions, valueBytes }: Work): Contestant {
  const socket = new RawSocket(broker);
  const records = payloads(valueBytes, callRecords).map(({ key, value }) => ({
    key,
    value,
    timestamp: Date.now(),
  }));
  const batch = encodeRecordBatch({ records });
  const frames = Array.from({ length: partitions }, (_, index) => {
    const topicData = [{ name: topic, partitionData: [{ index, records: batch }] }];
    return frame(
      0,
      produceVersion,
      produceApi.request.encode({ acks: -1, timeoutMs: 30_000, topicData }, produceVersion),
    );
  });
  const produce = async (count: number): Promise<void> => {
    let calls = 0;
    const lane = async (): Promise<void> => {
      while (calls < count / callRecords) {
        const answer = await socket.exchange(frames[calls++ % partitions] as Uint8Array);
        const { responses } = produceApi.response.decode(answer.subarray(5), produceVersion);
        const code = responses[0]?.partitionResponses[0]?.errorCode;
        if (code !== 0) throw new Error(`floor: Produce answered error ${code}`);
      }
    };
    await Promise.all(Array.from({ length: 4 }, lane));
  };
  /** Fetches and skips from batch header to batch header. */
  const consume = async (count: number, mark: (soFar: number) => void): Promise<void> => {
    const offsets = Array.from({ length: partitions }, () => 0);
    for (let soFar = 0; soFar < count; mark(soFar)) {
      const { responses } = await fetchOnce(socket, topic, offsets);
      for (const { partitionIndex, records: bytes } of responses[0]?.partitions ?? []) {
        if (bytes === null) continue;
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        for (let at = 0; at + 61 <= bytes.length; at += 12 + view.getInt32(at + 8)) {
          if (at + 12 + view.getInt32(at + 8) > bytes.length) break;
          const recordCount = view.getInt32(at + 57);
          soFar += recordCount;
          offsets[partitionIndex] = Number(view.getBigInt64(at)) + view.getInt32(at + 23) + 1;
        }
      }
    }
  };
  return {
    produceBatches: produce,
    produceEach: produce,
    produceQueued: produce,
    consumeBatches: consume,
    consumeEach: consume,
    close: () => Promise.resolve(socket.end()),
  };
}

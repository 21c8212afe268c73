/** The floor: fetches without looking into the records. What a client costs beyond this is bookkeeping and decoding. */
import { fetchApi, requestHeader, type FetchResponse } from 'kafka-wire/protocol';
import { RawSocket } from '../raw-socket.ts';
import type { Contestant, Work } from './contestant.ts';

const version = 12;

/** The parts of a request. */
function frame(body: Uint8Array): Uint8Array[] {
  const header = requestHeader.encode(
    { apiKey: 1, apiVersion: version, correlationId: 1, clientId: 'floor' },
    2,
  );
  const length = new Uint8Array(4);
  new DataView(length.buffer).setInt32(0, header.length + body.length);
  return [length, header, body];
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
  const body = fetchApi.request.encode({ ...limits, topics: [{ topic, partitions }] }, version);
  const answer = await socket.exchange(frame(body));
  return fetchApi.response.decode(answer.subarray(5), version);
}

/** Fetches and skips from batch header to batch header. */
export function floor({ broker, topic, partitions, records }: Work): Contestant {
  const read = async (mark: (soFar: number) => void): Promise<void> => {
    const socket = new RawSocket(broker);
    const offsets = Array.from({ length: partitions }, () => 0);
    for (let soFar = 0; soFar < records; mark(soFar)) {
      const { responses } = await fetchOnce(socket, topic, offsets);
      for (const { partitionIndex, records: bytes } of responses[0]?.partitions ?? []) {
        if (bytes === null) continue;
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        for (let at = 0; at + 61 <= bytes.length; at += 12 + view.getInt32(at + 8)) {
          if (at + 12 + view.getInt32(at + 8) > bytes.length) break;
          soFar += view.getInt32(at + 57);
          offsets[partitionIndex] = Number(view.getBigInt64(at)) + view.getInt32(at + 23) + 1;
        }
      }
    }
    socket.end();
  };
  return { byBatch: read, byRecord: read };
}

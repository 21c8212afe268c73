/** The bridge from the wire to a history: the batches of idempotent producers in a Produce request, as events.
 * Not here: seeing requests, which a proxy's or an embedded broker's hook does.
 */
import type { ProduceRequest } from '../../protocol/api/00-produce.ts';
import { nextBatch } from '../../protocol/records/batch.ts';
import type { NewEvent } from './history.ts';

/** One event for each batch with a sequence; a topic that has only an id goes by that. Throws ProtocolError for batches
 * that cannot be read.
 */
export function batchEvents(request: ProduceRequest, actor: string): NewEvent[] {
  const events: NewEvent[] = [];
  for (const { name, topicId, partitionData } of request.topicData) {
    for (const { index: partition, records } of partitionData) {
      const bytes = records ?? new Uint8Array(0);
      for (let batch = nextBatch(bytes, 0); batch !== undefined; batch = nextBatch(bytes, batch.end)) {
        const { producerId, producerEpoch, baseSequence, recordCount } = batch;
        if (baseSequence < 0) continue;
        events.push({
          kind: 'batch',
          actor,
          topic: name === '' ? topicId : name,
          partition,
          producerId: `${producerId}`,
          producerEpoch,
          baseSequence,
          count: recordCount,
        });
      }
    }
  }
  return events;
}

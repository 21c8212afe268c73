/** Requests name each topic once, with all of its partitions.
 * Pure. Invariant: topics, and the parts of each, keep the order in which they came.
 */
import type { TopicPartition } from './types.ts';

/** What `partOf` makes of each item, under the name of its topic. */
export function byTopic<T extends TopicPartition, P>(
  items: Iterable<T>,
  partOf: (item: T) => P,
): { readonly name: string; readonly partitions: P[] }[] {
  const topics = new Map<string, P[]>();
  for (const item of items) {
    const parts = topics.get(item.topic);
    if (parts === undefined) topics.set(item.topic, [partOf(item)]);
    else parts.push(partOf(item));
  }
  return Array.from(topics, ([name, partitions]) => ({ name, partitions }));
}

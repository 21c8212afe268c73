/** To the partition that was given the fewest bytes since the Writer began with the topic.
 * Not here: what a partition still has to send; `bufferedBytes` tells that to a balancer of your own.
 * Invariant: keys and values count, headers do not; of equals the lowest partition is taken, and all begin anew when
 * their number changes (kafka-go's rules). A partition without a leader is not left out.
 * Source: segmentio/kafka-go, balancer.go.
 */
import { perTopic, type Balancer } from './balancer.ts';

/** Bytes of a text in UTF-8, without making them; a lone surrogate becomes U+FFFD, of 3 bytes. */
function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    bytes += code < 0x800 ? 1 : 2;
    // A pair is 2 units and 4 bytes: the second unit adds nothing.
    if ((text.codePointAt(index) as number) > 0xffff) index++;
  }
  return bytes;
}

/** Levels the bytes of all partitions. Looks at each partition for each message. kafka-go: `LeastBytes`. */
export function leastBytes(): Balancer {
  const states = perTopic(() => ({ given: new Float64Array(0) }));
  return {
    partition({ value }, key, { topic, partitions }) {
      const state = states(topic);
      if (state.given.length !== partitions.length) state.given = new Float64Array(partitions.length);
      const { given } = state;
      let least = 0;
      for (let partition = 1; partition < given.length; partition++) {
        if ((given[partition] as number) < (given[least] as number)) least = partition;
      }
      const valueBytes = typeof value === 'string' ? utf8Length(value) : (value?.length ?? 0);
      given[least] = (given[least] as number) + valueBytes + (key?.length ?? 0);
      return least;
    },
  };
}

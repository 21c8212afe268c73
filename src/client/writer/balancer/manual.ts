/** No choice: every message names its partition, as with Sarama's and franz-go's manual partitioners.
 * Invariant: it never chooses, so that a forgotten `partition` is an error and not a guess.
 */
import { UsageError } from '../../../errors.ts';
import type { Balancer } from './balancer.ts';

/** Refuses, with a `UsageError`, the call of a message without `partition`. */
export function manual(): Balancer {
  return {
    partition(_message, _key, { topic }) {
      throw new UsageError(`A message to ${topic} has no partition, and the balancer manual() chooses none`, {
        stored: 'no',
      });
    },
  };
}

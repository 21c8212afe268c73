/** The contract inside workerd.
 * Not here: the cases.
 * Invariant: nothing happens before `test` is called; workerd refuses sockets, timers and random numbers until then.
 */
import { runContract } from './contract.ts';
import type { ContractEnvironment } from './contract-kit.ts';

/** The handlers of the Worker; workerd wants them as a default export, which launch.ts adds. */
export const worker = {
  async test(_controller: unknown, { GIVEN }: { readonly GIVEN: string }): Promise<void> {
    const failed = await runContract(JSON.parse(GIVEN) as ContractEnvironment);
    if (failed > 0) throw new Error(`${failed} cases failed`);
  },
};

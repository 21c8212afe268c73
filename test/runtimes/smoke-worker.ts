/** The smoke inside workerd.
 * Not here: what it does.
 */
import { runSmoke, type SmokeEnvironment } from './smoke.ts';

/** The handlers of the Worker; workerd wants them as a default export, which launch.ts adds. */
export const worker = {
  async test(_controller: unknown, { GIVEN }: { readonly GIVEN: string }): Promise<void> {
    await runSmoke(JSON.parse(GIVEN) as SmokeEnvironment);
    console.log('the smoke has passed');
  },
};

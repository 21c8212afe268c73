/** Waiting for the coordinators of a broker, asked with bare requests: of a real one they take a moment. */
import { setTimeout as delay } from 'node:timers/promises';
import { ErrorCodes, findCoordinatorApi, offsetFetchApi } from '../../../src/protocol/index.ts';
import { platform } from '../../../src/runtime/node.ts';
import { RawClient } from '../../testing/raw-client.ts';

/** The longest wait for what must come. */
export const waitMs = 20_000;
const passing: ReadonlySet<number> = new Set([
  ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCodes.COORDINATOR_NOT_AVAILABLE,
  ErrorCodes.NOT_COORDINATOR,
  ErrorCodes.CONCURRENT_TRANSACTIONS,
]);

/** A real broker makes its internal topics when it is first asked for a coordinator; some clients do not wait so long. */
export async function coordinatorsAreUp(address: string): Promise<void> {
  const client = await RawClient.connect(platform, address);
  const isUp = async (keyType: number): Promise<number> => {
    const answer = await client.call(findCoordinatorApi, 4, { keyType, coordinatorKeys: ['any'] });
    return answer.coordinators[0]?.errorCode ?? -1;
  };
  const groups = [{ groupId: 'any', topics: null }];
  const isLoaded = async (): Promise<number> =>
    (await client.call(offsetFetchApi, 8, { groups })).groups[0]?.errorCode ?? -1;
  try {
    for (const keyType of [0, 1]) await patiently(() => isUp(keyType));
    await patiently(isLoaded);
  } finally {
    client.close();
  }
}

/** Asks again while the coordinator is not ready or an older transaction ends. */
export async function patiently(request: () => Promise<number>): Promise<number> {
  const untilMs = Date.now() + waitMs;
  for (;;) {
    const code = await request();
    if (!passing.has(code) || Date.now() > untilMs) return code;
    await delay(50);
  }
}

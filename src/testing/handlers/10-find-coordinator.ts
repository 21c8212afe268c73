/** 10 FindCoordinator: which broker looks after a group or a transactional id, of one key or of several (KIP-699).
 * Not here: choosing it (../coordinators.ts). There are no share groups: their keys are refused.
 */
import {
  findCoordinatorApi,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
} from '../../protocol/api/10-find-coordinator.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import type { Input } from '../../protocol/schema.ts';
import type { CoordinatorType } from '../coordinators.ts';
import { handler, type Handler, type RequestContext } from './handler.ts';

const types: readonly CoordinatorType[] = ['group', 'transaction'];

interface Found {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

/** Tells coordinators. */
export const findCoordinatorHandler: Handler = /* @__PURE__ */ handler(findCoordinatorApi, answer);

function answer(request: FindCoordinatorRequest, context: RequestContext): Input<FindCoordinatorResponse> {
  const { key, coordinatorKeys, keyType } = request;
  if (context.apiVersion < 4) return find(key, keyType, context);
  return {
    coordinators: coordinatorKeys.map((each) => Object.assign(find(each, keyType, context), { key: each })),
  };
}

function find(key: string, keyType: number, context: RequestContext): Found {
  const refuse = (errorCode: number, errorMessage: string | null = null): Found => {
    return { errorCode, errorMessage, nodeId: -1, host: '', port: -1 };
  };
  const effect = (): Found => {
    const type = types[keyType];
    if (type === undefined)
      return refuse(ErrorCodes.INVALID_REQUEST, 'this broker coordinates groups and transactions only');
    const node = context.cluster.coordinator(type, key);
    if (node === undefined) return refuse(ErrorCodes.COORDINATOR_NOT_AVAILABLE);
    const { nodeId, host, port } = node;
    return { errorCode: 0, errorMessage: null, nodeId, host, port };
  };
  return context.attempt(effect, refuse);
}

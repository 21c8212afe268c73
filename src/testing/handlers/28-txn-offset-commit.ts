/** 28 TxnOffsetCommit: keeps offsets for a group until the transaction they belong to ends.
 * Not here: who may commit (../group.ts), what the end does (../group-offsets.ts).
 * Invariant: the transaction is asked for once per request, and only if there is an offset to keep.
 */
import { txnOffsetCommitApi, type TxnOffsetCommitRequest } from '../../protocol/api/28-txn-offset-commit.ts';
import { ErrorCodes } from '../../protocol/error-codes.ts';
import { offsetsPartition } from '../transactional-offsets.ts';
import { verifyTransaction } from '../verification.ts';
import { handler, type Handler, type RequestContext } from './handler.ts';
import { keepOffsets } from './offsets-to-keep.ts';

/** Keeps offsets for a transaction; from version 5 on without AddOffsetsToTxn (KIP-890). */
export const txnOffsetCommitHandler: Handler = /* @__PURE__ */ handler(
  txnOffsetCommitApi,
  (request, context) => {
    let admission: number | undefined;
    const topics = keepOffsets(request, context, {
      firstVersionWithIds: 6,
      refusal: (topicError) => topicError || (admission ??= admit(request, context)),
      keep: (offset) =>
        context.cluster.groups.getOrCreate(request.groupId).offsets.commitLater(request.producerId, offset),
    });
    return { topics };
  },
);

/** Whether the transaction and the group take offsets from this producer: 0 or the error code. */
function admit(request: TxnOffsetCommitRequest, context: RequestContext): number {
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generation } = request;
  const { cluster, apiVersion } = context;
  const unavailable = context.memberRequestError(groupId);
  if (unavailable !== 0) return unavailable;
  const partition = offsetsPartition(groupId);
  if (!cluster.transactionalOffsets.isOpen(partition[1], request)) {
    const support = apiVersion >= 5 ? 'adds' : apiVersion === 4 ? 'abortable' : 'none';
    const error = verifyTransaction(cluster, request.transactionalId, request, partition, support);
    if (error !== 0) return error;
  }
  const group = context.group(groupId);
  if (group === undefined && generation >= 0) return ErrorCodes.ILLEGAL_GENERATION;
  const error = group?.transactionalCommitError(memberId, groupInstanceId, generation) ?? 0;
  if (error === 0) cluster.transactionalOffsets.append(partition[1], request);
  return error;
}

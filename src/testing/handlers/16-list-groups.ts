/** 16 ListGroups: the groups that this broker coordinates, of some states and types or all (KIP-518, KIP-848). */
import { listGroupsApi } from '../../protocol/api/16-list-groups.ts';
import { handler, type Handler } from './handler.ts';

const classicType = 'classic';

/** Lists groups. */
export const listGroupsHandler: Handler = /* @__PURE__ */ handler(listGroupsApi, (request, context) => {
  const lower = (texts: readonly string[]): string[] => texts.map((text) => text.toLowerCase());
  const states = lower(request.statesFilter);
  const types = lower(request.typesFilter);
  const list = () => {
    const listed = context.cluster.groups.all.filter(({ groupId, state }) => {
      const isWanted = states.length === 0 || states.includes(state.toLowerCase());
      return isWanted && context.coordinatorError(groupId) === 0;
    });
    if (types.length > 0 && !types.includes(classicType)) return { errorCode: 0, groups: [] };
    return {
      errorCode: 0,
      groups: listed.map(({ groupId, state, protocolType }) => ({
        groupId,
        protocolType: protocolType ?? '',
        groupState: state,
        groupType: classicType,
      })),
    };
  };
  return context.attempt(list, (errorCode) => ({ errorCode, groups: [] }));
});

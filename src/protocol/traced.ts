/** The messages that are no API of their own, with `trace`, as the public entry has them; see api/traced.ts for the APIs.
 * Apart from the messages themselves, so that a client's bundle does without.
 */
import { assignment as untracedAssignment, type Assignment } from './embedded/assignment.ts';
import { subscription as untracedSubscription, type Subscription } from './embedded/subscription.ts';
import * as headers from './header.ts';
import { traced, type TracedMessage } from './trace.ts';

/** What a member is assigned, with `trace`. */
export const assignment: TracedMessage<Assignment> = /* @__PURE__ */ traced(untracedAssignment);

/** What a member subscribes to, with `trace`. */
export const subscription: TracedMessage<Subscription> = /* @__PURE__ */ traced(untracedSubscription);

/** The request header, with `trace`. */
export const requestHeader: TracedMessage<headers.RequestHeader> = /* @__PURE__ */ traced(
  headers.requestHeader,
);

/** The response header, with `trace`. */
export const responseHeader: TracedMessage<headers.ResponseHeader> = /* @__PURE__ */ traced(
  headers.responseHeader,
);

import { RequestError, json, objectIn, type Control, type Route } from '../answer.ts';

/** Which generations of rules are in force. */
export const policyStatus: Route = ({ policy }, response) => json(response, 200, policy.status());

/** Puts the rules that are tried out in force for all. */
export const policyPromote: Route = changing(({ policy }, by) => policy.promote(by));

/** Takes back the rules that are tried out, or else those in force. */
export const policyRollback: Route = changing(({ policy }, by) => policy.rollback(by));

/** Does what `{"by": "name"}` asks for, and answers with what is so then. */
function changing(change: (control: Control, by: string) => void): Route {
  return async (control, response, request) => {
    const { by } = await objectIn(request);
    if (typeof by !== 'string' || !/^[\p{L}\p{N}._@+ -]{1,100}$/u.test(by))
      throw new RequestError(400, '"by" must say who asks: 1 to 100 letters, digits and . _ @ + -');
    change(control, by);
    json(response, 200, control.policy.status());
  };
}

import { HALT_KINDS, type Halt, type HaltKind } from '../../model/halt.ts';
import { RequestError, json, objectIn, type Route } from '../answer.ts';

/** What is halted. */
export const haltsList: Route = ({ halts }, response) => json(response, 200, halts.list());

/** Stops something: `{"kind", "name", "reason", "by"}`. */
export const haltsKill: Route = async (control, response, request) => {
  const body = await objectIn(request);
  const reason = textIn(body, 'reason', 1000);
  await control.halts.kill(scopeIn(body), reason, textIn(body, 'by', 100));
  json(response, 200, control.halts.list());
};

/** Lets it go on. */
export const haltsRevive: Route = async (control, response, request) => {
  const body = await objectIn(request);
  const known = await control.halts.revive(scopeIn(body), textIn(body, 'reason', 1000), textIn(body, 'by', 100));
  if (!known) throw new RequestError(409, 'that is not halted here; GET /halts lists what is');
  json(response, 200, control.halts.list());
};

type Body = Readonly<Record<string, unknown>>;

function scopeIn({ kind, name = '' }: Body): Pick<Halt, 'kind' | 'name'> {
  if (!HALT_KINDS.includes(kind as HaltKind))
    throw new RequestError(400, `"kind" must be one of ${HALT_KINDS.join(', ')}`);
  const named = typeof name === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name);
  if (kind === 'all' ? name !== '' : !named)
    throw new RequestError(400, '"name" must name an agent, capability or tenant, and be left out for all');
  return { kind: kind as HaltKind, name: name as string };
}

/** One line, for people and for the record. */
function textIn(body: Body, key: string, most: number): string {
  const text = body[key];
  if (typeof text === 'string' && /\S/.test(text) && text.length <= most && !/\p{Cc}/u.test(text)) return text;
  throw new RequestError(400, `"${key}" must be a line of 1 to ${most} characters`);
}

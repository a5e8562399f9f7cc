import { parseDuration } from '../../model/units.ts';
import { RequestError, json, objectIn, type Route } from '../answer.ts';

/** Sessions that have not ended, as far as this gate knows them. */
export const sessionsList: Route = ({ sessions }, response) => json(response, 200, sessions.list());

/** Makes one: `{"agent", "ttl", "capabilities", "labels", "limits", "by"}`; answers with it and its token. */
export const sessionsCreate: Route = async ({ sessions }, response, request) => {
  const body = await objectIn(request);
  const { agent, ttl, capabilities, labels = {}, limits = {}, by } = body;
  if (typeof agent !== 'string') throw new RequestError(400, '"agent" must name an agent');
  const time = typeof ttl === 'string' ? parseDuration(ttl) : null;
  if (ttl !== undefined && time === null) throw new RequestError(400, '"ttl" must be a duration such as 5m');
  if (capabilities !== undefined && !isNames(capabilities))
    throw new RequestError(400, '"capabilities" must be a list of names, one at least');
  if (!isLabels(labels))
    throw new RequestError(400, '"labels" must be a map of at most 20 names to texts of at most 200 characters');
  if (!isLabels(limits)) throw new RequestError(400, '"limits" must be a map of kinds to texts such as "100/session"');
  const asked = { agent, ttl: time, capabilities: capabilities ?? null, labels, limits };
  json(response, 200, sessions.create(asked, byIn(by)));
};

/** Signs with a new key from now on. */
export const sessionKeysRotate: Route = async ({ sessions }, response, request) => {
  const { by } = await objectIn(request);
  sessions.rotateKeys(byIn(by));
  json(response, 200, sessions.list());
};

/** Ends every session there is. */
export const sessionKeysRevokeAll: Route = async ({ sessions }, response, request) => {
  const { by } = await objectIn(request);
  sessions.revokeAll(byIn(by));
  json(response, 200, sessions.list());
};

function byIn(by: unknown): string {
  if (typeof by === 'string' && /\S/.test(by) && by.length <= 100 && !/\p{Cc}/u.test(by)) return by;
  throw new RequestError(400, '"by" must say who asks, in 1 to 100 characters');
}

function isNames(value: unknown): value is string[] {
  return (
    Array.isArray(value) && value.length > 0 && value.length <= 100 && value.every((each) => typeof each === 'string')
  );
}

function isLabels(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  const right = ([name, text]: [string, unknown]): boolean =>
    /^[A-Za-z0-9._-]{1,64}$/.test(name) && typeof text === 'string' && text.length <= 200;
  return entries.length <= 20 && entries.every(right);
}

import type { BodyFacts, Facts } from '../model/facts.ts';
import { NO_CHANGED_TOOLS } from './content/tools.ts';
import { isMethod } from '../model/method.ts';
import { canonicalPath, splitTarget } from '../model/path.ts';
import { DEFAULT_PORT, makeTarget, parseAuthority } from '../model/target.ts';
import type { Parsed } from './parsed.ts';

/** A request as people write one down. */
export interface WrittenRequest {
  readonly agent: string;
  readonly method: string;
  readonly url: string;
  /** Name, value pairs. */
  readonly headers: readonly string[];
  readonly body: BodyFacts;
}

/** Somewhere to call from, for requests that nobody sends. */
const SOURCE = '127.0.0.1';

/** The facts the gate would gather from this request. The URL is taken as written: nothing is normalised on the way. */
export function factsOfRequest({ agent, method, url, headers, body }: WrittenRequest): Parsed<Facts> {
  const match = /^(https?|wss?):\/\/([^/?#]+)([^#]*)$/.exec(url);
  const authority = match === null ? null : parseAuthority(match[2] ?? '');
  if (match === null || authority === null)
    return { ok: false, message: `"${url}" is not an http, https, ws or wss URL`, hint: 'write it whole, without #' };
  if (!isMethod(method))
    return { ok: false, message: `"${method}" is not a method the gate carries`, hint: 'methods are upper case: GET' };
  const websocket = match[1]?.startsWith('ws') === true;
  const scheme = match[1] === 'https' || match[1] === 'wss' ? 'https' : 'http';
  const rest = match[3] ?? '';
  const { path, query } = splitTarget(rest.startsWith('/') ? rest : `/${rest}`);
  const target = makeTarget(scheme, authority.host, authority.port ?? (DEFAULT_PORT[scheme] as number));
  const facts = {
    agent,
    source: SOURCE,
    target,
    method,
    websocket,
    path: canonicalPath(path),
    query,
    headers,
    body,
    changedTools: NO_CHANGED_TOOLS,
    granted: null,
  };
  return { ok: true, value: facts };
}

import { createHash } from 'node:crypto';
import type { ToolGrants } from '../../model/decision.ts';
import { isArray, isObject, parseJsonBytes, writeJson, type Json, type JsonObject } from '../../model/json.ts';

/** Of a server none of whose tools has changed, or that has none. */
export const NO_CHANGED_TOOLS: ReadonlySet<string> = new Set();

/** What is known from before of the tools of a server. */
export interface ToolReview {
  /**
   * Whether a tool is what it was when it was first seen, or when its change was acknowledged. One that was never seen is
   * noted, and stands.
   */
  stands(tool: string, fingerprint: string): boolean;
}

/**
 * An answer of `tools/list` with the granted tools alone, and of those the ones that stand; null where all it lists may be
 * shown, or it is no such answer. Throws JsonError for what two readers may read differently.
 */
export function shownTools(bytes: Buffer, tools: ToolGrants, review: ToolReview): string | null {
  const body = parseJsonBytes(bytes);
  const messages = isArray(body) ? body : [body];
  const shown = messages.map((each) => onlyShown(each, tools, review));
  if (shown.every((each, index) => each === messages[index])) return null;
  return writeJson(isArray(body) ? shown : (shown[0] as Json));
}

function onlyShown(message: Json, tools: ToolGrants, review: ToolReview): Json {
  const result = isObject(message) ? message.get('result') : undefined;
  const list = isObject(result) ? result.get('tools') : undefined;
  if (!isObject(message) || !isObject(result) || !isArray(list)) return message;
  const shown = list.filter((tool) => {
    const name = isObject(tool) ? tool.get('name') : undefined;
    return isObject(tool) && typeof name === 'string' && tools.grants(name) && review.stands(name, fingerprintOf(tool));
  });
  if (shown.length === list.length) return message;
  return new Map([...message, ['result', new Map([...result, ['tools', shown]])]]);
}

/** What a model is told of a tool, in one short text: description, schemas and annotations, whatever their order. */
function fingerprintOf(tool: JsonObject): string {
  const told = new Map([...tool].filter(([name]) => name !== '_meta'));
  return createHash('sha256')
    .update(writeJson(sorted(told)))
    .digest('hex');
}

function sorted(value: Json): Json {
  if (isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return new Map([...value].map(([name, each]) => [name, sorted(each)] as const).sort(([a], [b]) => (a < b ? -1 : 1)));
}

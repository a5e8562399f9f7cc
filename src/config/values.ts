import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { parseAddress, parseHost, type Host } from '../model/host.ts';
import { parseParentProxy, type ParentProxy } from '../model/parent-proxy.ts';
import { parseAuthority, parsePort } from '../model/target.ts';

/** Texts of settings as values; null where a text is not right. */

export const anyText = (text: string): string | null => (text === '' ? null : text);

export const oneOf =
  (...words: readonly string[]) =>
  (text: string): string | null =>
    words.includes(text) ? text : null;

export function parseListen(text: string): { host: string; port: number } | null {
  const match = /^(\[[^\]]+\]|[^:]+):([0-9]+)$/.exec(text);
  if (match === null) return null;
  const host = (match[1] ?? '').replaceAll(/[[\]]/g, '');
  const port = match[2] === '0' ? 0 : parsePort(match[2] ?? '');
  if (port === null || (isIP(host) === 0 && host !== 'localhost')) return null;
  return { host: host === 'localhost' ? '127.0.0.1' : host, port };
}

/** A share between 0 and 1, of a percentage above 0. */
export function parsePercentage(text: string): number | null {
  const match = /^([0-9]{1,3}(?:\.[0-9]{1,3})?) ?%$/.exec(text.trim());
  const value = Number(match?.[1] ?? 0);
  return value > 0 && value <= 100 ? value / 100 : null;
}

/** A whole number from 1 on. */
export function parseCount(text: string): number | null {
  return /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : null;
}

/** An X25519 recipient of age (https://age-encryption.org/v1): Bech32, whose checksum is looked at where it is used. */
export function parseRecipient(text: string): string | null {
  return /^age1[02-9ac-hj-np-z]{58}$/.test(text) ? text : null;
}

/** An address of the web, whatever stands in it. */
export function parseWebAddress(text: string): string | null {
  return /^https?:\/\/[^/]/.test(text) && URL.canParse(text) ? text : null;
}

export function parseOpaUrl(text: string): URL | null {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return null;
  const url = new URL(text);
  return url.search === '' && url.hash === '' && url.username === '' && url.password === '' ? url : null;
}

export function parseDataPath(text: string): string | null {
  return /^[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*$/.test(text) ? text : null;
}

export function parseFieldName(text: string): string | null {
  return /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(text) ? text : null;
}

export function parseOwnName(text: string): Host | null {
  return parseHost(text.includes(':') ? `[${text}]` : text);
}

export function parsePin(text: string): [string, { host: string; port: number }] | null {
  const equals = text.indexOf('=');
  if (equals === -1) return null;
  const from = text.slice(0, equals);
  const to = parseAuthority(text.slice(equals + 1));
  if (to === null || to.port === null || to.host.kind === 'name') return null;
  const dial = { host: to.host.text, port: to.port };
  const any = /^\*\*:(.*)$/.exec(from);
  if (any !== null) return parsePort(any[1] ?? '') === null ? null : [from, dial];
  const target = parseAuthority(from);
  return target === null || target.port === null ? null : [`${target.host.text}:${target.port}`, dial];
}

export function parseParent(text: string): [string, ParentProxy | null] | null {
  const equals = text.indexOf('=');
  const pattern = parseParentPattern(text.slice(0, Math.max(0, equals)));
  const proxy = text.slice(equals + 1);
  if (pattern === null) return null;
  if (proxy === 'direct') return [pattern, null];
  const parent = parseParentProxy(proxy);
  return parent === null ? null : [pattern, parent];
}

/** A host, or a wildcard before a name. */
function parseParentPattern(text: string): string | null {
  if (text === '**') return text;
  const [, wildcard = '', name = ''] = /^(\*{1,2}\.)?(.*)$/s.exec(text) ?? [];
  const host = parseOwnName(name);
  return host === null || (wildcard !== '' && host.kind !== 'name') ? null : wildcard + host.text;
}

export function parseResolver(text: string): string | null {
  if (parseAddress(text) !== null) return text;
  const authority = parseAuthority(text);
  return authority === null || authority.host.kind === 'name' ? null : text;
}

export function parseWorkers(text: string): number | null {
  if (text === 'auto') return availableParallelism();
  const count = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= 256 ? count : null;
}

export function parseConnections(text: string): number | 'auto' | null {
  if (text === 'auto') return text;
  const count = /^[0-9]{1,7}$/.test(text) ? Number(text) : 0;
  return count >= 10 && count <= 1_000_000 ? count : null;
}

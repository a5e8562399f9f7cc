const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Strict UTF-8; null for anything else. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return DECODER.decode(bytes);
  } catch {
    return null;
  }
}

/** A media type (RFC 9110 §8.3.1). */
export interface MediaType {
  /** `type/subtype` in lower case. */
  readonly essence: string;
  readonly charset: string | null;
  readonly boundary: string | null;
}

const PARAMETER = /;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"([^"\\]*)")[ \t]*/y;

/** Parses the values of `Content-Type`. Null where there is none, more than one, or one that readers may take differently. */
export function parseMediaType(values: readonly string[]): MediaType | null {
  const text = values[0];
  if (text === undefined || values.length > 1) return null;
  const start = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*/.exec(text)?.[0];
  if (start === undefined) return null;
  const parameters = new Map<string, string>();
  let at = start.length;
  while (at < text.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(text);
    const name = match?.[1]?.toLowerCase();
    if (match === null || name === undefined || parameters.has(name)) return null;
    parameters.set(name, match[2] ?? match[3] ?? '');
    at = PARAMETER.lastIndex;
  }
  return {
    essence: start.trim().toLowerCase(),
    charset: parameters.get('charset')?.toLowerCase() ?? null,
    boundary: parameters.get('boundary') ?? null,
  };
}

/** JSON, whatever it is about (RFC 6839 §3.1). */
export function isJsonType(type: MediaType): boolean {
  return isUtf8(type) && (type.essence === 'application/json' || type.essence.endsWith('+json'));
}

/** Says that it is UTF-8, or nothing else. */
export function isUtf8({ charset }: MediaType): boolean {
  return charset === null || charset === 'utf-8' || charset === 'utf8';
}

import type { BodyFacts } from '../../model/facts.ts';
import { JsonError, parseJsonBytes, type Json } from '../../model/json.ts';
import { queryPairs } from '../predicate.ts';
import { parseMultipart, type Part } from './multipart.ts';
import { decodeUtf8, isJsonType, isUtf8, parseMediaType, type MediaType } from './text.ts';

/** What a body reads as; or why it does not read as that. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly detail: string; readonly tooLarge: boolean };

/** The forms a body is asked for in, each read once, when the first predicate asks. */
export class BodyView {
  readonly #body: BodyFacts;
  #json: Reading<Json> | undefined;
  #form: Reading<readonly string[]> | undefined;
  #parts: Reading<readonly Part[]> | undefined;

  constructor(body: BodyFacts) {
    this.#body = body;
  }

  get absent(): boolean {
    return this.#body.kind === 'none';
  }

  json(): Reading<Json> {
    this.#json ??= this.#read((type, bytes) => {
      if (!isJsonType(type)) return bad('its content type is not JSON');
      return readJson(bytes);
    });
    return this.#json;
  }

  /** The body as JSON, whatever it says it is: for denies, since servers do not all look at the type. */
  anyJson(): Reading<Json> {
    const body = this.#body;
    return body.kind === 'whole' ? readJson(body.bytes) : this.json();
  }

  /** Name, value pairs of a urlencoded form. */
  form(): Reading<readonly string[]> {
    this.#form ??= this.#read((type, bytes) => {
      if (type.essence !== 'application/x-www-form-urlencoded') return bad('its content type is not that of a form');
      if (!isUtf8(type)) return bad('the form is not UTF-8');
      return readForm(bytes);
    });
    return this.#form;
  }

  anyForm(): Reading<readonly string[]> {
    const body = this.#body;
    return body.kind === 'whole' ? readForm(body.bytes) : this.form();
  }

  parts(): Reading<readonly Part[]> {
    this.#parts ??= this.#read((type, bytes) => {
      if (type.essence !== 'multipart/form-data' || type.boundary === null)
        return bad('its content type is not multipart/form-data with a boundary');
      const parts = parseMultipart(bytes, type.boundary);
      return parts === null ? bad('the multipart form has more than one reading') : good(parts);
    });
    return this.#parts;
  }

  #read<T>(read: (type: MediaType, bytes: Buffer) => Reading<T>): Reading<T> {
    const body = this.#body;
    switch (body.kind) {
      case 'unread':
        return bad('it has not been read');
      case 'none':
        return bad('there is none');
      case 'unreadable':
        return bad(body.detail);
      case 'too-large':
        return { ok: false, detail: `it is larger than the ${body.limit} bytes a rule can read`, tooLarge: true };
      case 'whole': {
        const type = parseMediaType(body.contentType);
        return type === null ? bad('its content type is missing or has more than one reading') : read(type, body.bytes);
      }
    }
  }
}

function readJson(bytes: Buffer): Reading<Json> {
  try {
    return good(parseJsonBytes(bytes));
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return bad(`as JSON, ${error.message}`);
  }
}

function readForm(bytes: Buffer): Reading<readonly string[]> {
  const text = decodeUtf8(bytes);
  const pairs = text === null ? null : queryPairs(text);
  return pairs === null ? bad('the form has more than one reading') : good(pairs);
}

function good<T>(value: T): Reading<T> {
  return { ok: true, value };
}

function bad<T>(detail: string): Reading<T> {
  return { ok: false, detail, tooLarge: false };
}

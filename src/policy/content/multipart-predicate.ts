import type { Predicate } from '../predicate.ts';
import type { Part } from './multipart.ts';
import { decodeUtf8 } from './text.ts';

/** What is asked of a file in a form. */
export interface FilePredicate {
  /** Media types, `image/*` for all of a kind. */
  readonly types: readonly string[];
  /** Most bytes; null: as many as a rule can read. */
  readonly most: number | null;
  readonly optional: boolean;
}

/** First bytes by which files show what they are, whatever they say. */
const SIGNATURES: ReadonlyArray<readonly [type: string, hex: string]> = [
  ['image/png', '89504e470d0a1a0a'],
  ['image/jpeg', 'ffd8ff'],
  ['image/gif', '47494638'],
  ['application/pdf', '255044462d'],
  ['application/zip', '504b0304'],
  ['application/gzip', '1f8b'],
  ['application/x-elf', '7f454c46'],
  ['application/x-msdownload', '4d5a'],
];
/** Types whose files are archives of another type. */
const ZIPPED =
  /^application\/(?:zip|.*\+zip|vnd\.openxmlformats-officedocument\..*|vnd\.oasis\.opendocument\..*|java-archive|epub\+zip)$/;

/** What is asked of the parts of a form. */
export class MultipartPredicates {
  readonly #fields: ReadonlyMap<string, Predicate>;
  readonly #files: ReadonlyMap<string, FilePredicate>;
  readonly #closed: boolean;

  constructor(fields: ReadonlyMap<string, Predicate>, files: ReadonlyMap<string, FilePredicate>, closed: boolean) {
    this.#fields = fields;
    this.#files = files;
    this.#closed = closed;
  }

  get size(): number {
    return this.#fields.size + this.#files.size + (this.#closed ? 1 : 0);
  }

  /** Null when every part is what the rule allows and none is missing. */
  flaw(parts: readonly Part[]): string | null {
    const seen = new Set<string>();
    for (const part of parts) {
      const flaw = this.#flawOfPart(part);
      if (flaw !== null) return flaw;
      seen.add(part.name);
    }
    for (const [name, { absent, optional }] of this.#fields)
      if (!seen.has(name) && !absent && !optional) return `the field ${name} is missing`;
    for (const [name, { optional }] of this.#files)
      if (!seen.has(name) && !optional) return `the file ${name} is missing`;
    return null;
  }

  #flawOfPart(part: Part): string | null {
    const file = this.#files.get(part.name);
    if (file !== undefined) return fileFlaw(part, file);
    const field = this.#fields.get(part.name);
    if (field === undefined) return this.#closed ? 'a part is not listed' : null;
    const text = part.filename === null ? decodeUtf8(part.bytes) : null;
    if (text === null) return `the field ${part.name} is no text`;
    return field.absent || !field.holds(text) ? `the field ${part.name} is not what the rule allows` : null;
  }

  /** Whether a deny may mean the form: one part of a name is enough. */
  mayHold(parts: readonly Part[]): boolean {
    const named = (name: string): Part[] => parts.filter((part) => part.name === name);
    for (const [name, field] of this.#fields) {
      const own = named(name);
      const missing = own.length === 0 && (field.absent || field.optional);
      if (!missing && (field.absent || !own.some((part) => mayBe(field, part)))) return false;
    }
    for (const [name, file] of this.#files)
      if (!named(name).some((part) => fileFlaw(part, file) === null)) return false;
    return true;
  }
}

function fileFlaw(part: Part, { types, most }: FilePredicate): string | null {
  const allows = (type: string): boolean =>
    types.some((each) => each === type || (each.endsWith('/*') && type.startsWith(each.slice(0, -1))));
  if (part.filename === null || part.type === null || !allows(part.type))
    return `the file ${part.name} is not of a type the rule allows`;
  if (most !== null && part.bytes.length > most) return `the file ${part.name} is larger than the rule allows`;
  const start = part.bytes.subarray(0, 8).toString('hex');
  const shown = SIGNATURES.find(([, hex]) => start.startsWith(hex))?.[0];
  if (shown !== undefined && shown !== part.type && !(shown === 'application/zip' && ZIPPED.test(part.type)))
    return `the file ${part.name} is not what it says it is`;
  const expected = SIGNATURES.find(([type]) => type === part.type)?.[1];
  if (expected !== undefined && !start.startsWith(expected)) return `the file ${part.name} is not what it says it is`;
  return null;
}

function mayBe(field: Predicate, part: Part): boolean {
  const text = decodeUtf8(part.bytes);
  return text === null || field.holds(text);
}

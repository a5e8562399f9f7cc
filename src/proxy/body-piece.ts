import { bodyFragments, type BodyForm, type Fragment } from '../scan/fragments.ts';
import { jsonParts, type JsonParts } from '../scan/json-strings.ts';
import { placeInBody } from '../scan/where.ts';
import type { KnownTexts } from './known-texts.ts';
import type { Piece } from './scan-pieces.ts';

const JSON_TYPE = /[/+]json$/;
const FORM_TYPE = 'application/x-www-form-urlencoded';

/** A body that is here whole. It is taken apart once it is asked for its parts: one that is known need not be. */
export class BodyPiece implements Piece {
  readonly bytes: Buffer;
  readonly form: BodyForm | 'json';
  readonly part = 'body';
  readonly joinedWhere = 'parts of the body';
  readonly #mediaType: string | null;
  #parts: JsonParts | null = null;

  /** `mediaType`: what it calls itself; null: nothing, or what nobody can read. */
  constructor(bytes: Buffer, mediaType: string | null) {
    this.bytes = bytes;
    this.#mediaType = mediaType;
    this.form = formOf(mediaType);
  }

  get fragments(): readonly Fragment[] {
    return this.form === 'json' ? this.#own.fragments : bodyFragments(this.bytes, this.form);
  }

  whereOf(offset: number): string {
    return placeInBody(this.bytes, offset, this.#mediaType);
  }

  join(bytes: Buffer): Buffer | null {
    if (this.form !== 'json') return null;
    return (bytes === this.bytes ? this.#own : jsonParts(bytes)).joined;
  }

  known(texts: KnownTexts): readonly Fragment[] | undefined {
    return texts.fragmentsOfBody(this.bytes, this.form);
  }

  remember(texts: KnownTexts): void {
    // What is kept has bytes of its own: those here are a part of what was read from the connection.
    texts.addBody(this.bytes, this.form, (bytes) => new BodyPiece(bytes, this.#mediaType).fragments);
  }

  get #own(): JsonParts {
    return (this.#parts ??= jsonParts(this.bytes));
  }
}

function formOf(mediaType: string | null): BodyForm | 'json' {
  if (mediaType === null) return 'other';
  return JSON_TYPE.test(mediaType) ? 'json' : mediaType === FORM_TYPE ? 'form' : 'other';
}

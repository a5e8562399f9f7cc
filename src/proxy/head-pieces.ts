import { NO_FRAGMENTS, targetFragments, type Fragment } from '../scan/fragments.ts';
import { joinedTarget } from '../scan/joins.ts';
import { placeInFields, placeInTarget } from '../scan/where.ts';
import type { KnownTexts } from './known-texts.ts';
import type { Piece } from './scan-pieces.ts';

/** A text that may well be said again. Most are known, and need no bytes. */
abstract class TextPiece {
  readonly text: string;
  #bytes: Buffer | null = null;

  constructor(text: string) {
    this.text = text;
  }

  get bytes(): Buffer {
    return (this.#bytes ??= Buffer.from(this.text, 'latin1'));
  }

  abstract get fragments(): readonly Fragment[];

  known(texts: KnownTexts): readonly Fragment[] | undefined {
    return texts.fragmentsOf(this.text);
  }

  remember(texts: KnownTexts): void {
    texts.add(this.text, this.fragments);
  }
}

/** Path and query of a request. */
export class TargetPiece extends TextPiece implements Piece {
  readonly part = 'target';
  readonly joinedWhere = 'parts of the path or query';
  #fragments: readonly Fragment[] | null = null;

  get fragments(): readonly Fragment[] {
    return (this.#fragments ??= targetFragments(this.bytes));
  }

  whereOf(offset: number): string {
    return placeInTarget(this.text, offset);
  }

  join(bytes: Buffer): Buffer | null {
    return joinedTarget(bytes.toString('latin1'));
  }
}

/** Lines of header or trailer fields, each with a CRLF before it. */
export class FieldsPiece extends TextPiece implements Piece {
  readonly part = 'fields';
  readonly joinedWhere = '';

  get fragments(): readonly Fragment[] {
    return NO_FRAGMENTS;
  }

  whereOf(offset: number): string {
    return placeInFields(this.text, offset);
  }

  join(): null {
    return null;
  }
}

import { BACKSLASH } from '../decoders/backslash.ts';
import { ENTITIES } from '../decoders/entities.ts';
import { PERCENT } from '../decoders/percent.ts';
import { QUOTED_PRINTABLE } from '../decoders/quoted-printable.ts';
import { UNICODE } from '../decoders/unicode.ts';
import type { Reader } from '../reader.ts';
import type { View } from '../view.ts';
import { DEEPEST } from '../scratch.ts';
import { Below } from './below.ts';
import { CodeReader } from './codes.ts';
import { ContainerReader } from './containers.ts';
import { DocumentReader } from './documents.ts';
import { EscapeReader } from './escapes.ts';
import { NumberReader } from './numbers.ts';
import { PhraseReader } from './phrases.ts';
import { RegisteredReader } from './registered.ts';
import { RunReader } from './runs.ts';
import { Utf16Reader } from './utf16.ts';

/** What looks through the bytes of a view: an explicit list, in no particular order. */
export function readersOf(view: View): readonly Reader[] {
  const below = (): Below => new Below(view, readersOf);
  const finders = [new NumberReader(view), new PhraseReader(view)].filter((reader) => reader.used);
  const always = [...finders, new RegisteredReader(view), new DocumentReader(view)];
  if (view.via.length >= DEEPEST) return always;
  return [
    ...always,
    new RunReader(view, below()),
    new EscapeReader(view, PERCENT, below()),
    new EscapeReader(view, BACKSLASH, below()),
    new EscapeReader(view, ENTITIES, below()),
    new EscapeReader(view, QUOTED_PRINTABLE, below()),
    new EscapeReader(view, UNICODE, below()),
    new Utf16Reader(view, below()),
    new CodeReader(view, below()),
    new ContainerReader(view, below()),
  ];
}

/** The same for text that a model is to read: it sees through escapes and characters that look like others, and decodes nothing. */
export function textReadersOf(view: View): readonly Reader[] {
  if (view.via.length >= 2) return [];
  return [
    new EscapeReader(view, ENTITIES, new Below(view, textReadersOf)),
    new EscapeReader(view, UNICODE, new Below(view, textReadersOf)),
  ];
}

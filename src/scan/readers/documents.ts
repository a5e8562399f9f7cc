import { TRAITS } from '../bytes.ts';
import { plainDetector, type DetectorSpec } from '../../model/detector.ts';
import type { DocumentPrints, Documents } from '../document-index.ts';
import type { Reader } from '../reader.ts';
import type { View } from '../view.ts';
import { SHINGLE, Winnower } from '../winnow.ts';

/** Work of a byte, beside reading it. */
const COST = 2;

/** Looks for parts of documents. What it finds in one view counts with what it finds in the others of a stream. */
export class DocumentReader implements Reader {
  readonly waiting = Infinity;
  readonly #view: View;
  #documents: Documents | null = null;
  #winnower: Winnower | null = null;
  /** Place in the view where what the winnower reads began. */
  #begin = 0;

  constructor(view: View) {
    this.#view = view;
  }

  get asks(): number {
    return this.#view.context.engine.documents.current.size === 0 ? 0 : TRAITS.any;
  }

  opened(): number {
    return Infinity;
  }

  restart(): void {
    this.#winnower = null;
  }

  read(from: number, to: number): void {
    const { engine, budget } = this.#view.context;
    const { current } = engine.documents;
    if (current.size === 0) return;
    if (this.#winnower === null || this.#documents !== current) this.#start(current, this.#view.base + from);
    budget.spend((to - from) * COST);
    this.#winnower?.push(this.#view.bytes, from, to);
  }

  #start(documents: Documents, begin: number): void {
    this.#documents = documents;
    this.#begin = begin;
    this.#winnower = new Winnower(documents.seed, (print, end) => {
      for (const owner of documents.ownersOf(print)) this.#count(documents, owner, print, end);
    });
  }

  #count(documents: Documents, owner: number, print: number, end: number): void {
    const { context, base } = this.#view;
    const document = documents.documents[owner] as DocumentPrints;
    if (!context.countPrint(document.name, print, documents.threshold(owner))) return;
    const to = this.#begin + end - base;
    context.report(specOf(document), this.#view, Math.max(0, to - SHINGLE), to, document.name);
  }
}

const specs = new WeakMap<DocumentPrints, DetectorSpec>();

/** A document as the detector that finds it. */
function specOf(document: DocumentPrints): DetectorSpec {
  let spec = specs.get(document);
  if (spec === undefined) {
    spec = plainDetector({
      name: `document:${document.name}`,
      family: 'documents',
      severity: 'high',
      description: `a part of ${document.name}`,
    });
    specs.set(document, spec);
  }
  return spec;
}

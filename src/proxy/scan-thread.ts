import { parentPort } from 'node:worker_threads';
import type { DetectorSpec } from '../model/detector.ts';
import type { Finding } from '../model/finding.ts';
import { BudgetExceeded } from '../scan/budget.ts';
import { Documents, type DocumentPrints } from '../scan/document-index.ts';
import { compileEngine, warm, type Engine } from '../scan/engine.ts';
import { Registered, type RegisteredValue } from '../scan/registered.ts';
import { Scanner } from '../scan/scanner.ts';

/** What a scanning thread is told. */
export type ThreadTask =
  | { readonly kind: 'key'; readonly key: Uint8Array }
  | { readonly kind: 'registered'; readonly values: readonly RegisteredValue[] }
  | { readonly kind: 'documents'; readonly documents: readonly DocumentPrints[] }
  | { readonly kind: 'engine'; readonly name: number; readonly detectors: readonly DetectorSpec[] }
  | { readonly kind: 'scan'; readonly id: number; readonly engine: number; readonly bytes: Uint8Array };

/** What it answers to a scan. */
export type ThreadAnswer =
  | {
      readonly id: number;
      readonly kind: 'found';
      readonly findings: readonly Finding[];
      readonly milliseconds: number;
    }
  | { readonly id: number; readonly kind: 'too-costly'; readonly detail: string };

/** Engines that are kept: of rules that are no longer in force, what a rollback may need. */
const ENGINES = 4;

let key = Buffer.alloc(32);
let registered = { current: new Registered([], key) };
const registeredNow = {
  get current() {
    return registered.current;
  },
};
let documents = { current: new Documents([], key) };
const documentsNow = {
  get current() {
    return documents.current;
  },
};
const engines = new Map<number, Engine>();

parentPort?.on('message', (task: ThreadTask) => {
  switch (task.kind) {
    case 'key':
      key = Buffer.from(task.key);
      break;
    case 'registered':
      registered = { current: new Registered(task.values, key) };
      break;
    case 'documents':
      documents = { current: new Documents(task.documents, key) };
      break;
    case 'engine': {
      const engine = compileEngine(task.detectors, registeredNow, documentsNow);
      warm(engine);
      engines.set(task.name, engine);
      if (engines.size > ENGINES) engines.delete(engines.keys().next().value as number);
      break;
    }
    case 'scan':
      parentPort?.postMessage(scan(task));
  }
});

function scan({ id, engine: name, bytes }: Extract<ThreadTask, { kind: 'scan' }>): ThreadAnswer {
  const engine = engines.get(name);
  if (engine === undefined) throw new Error('a scan by detectors nobody told of');
  const began = performance.now();
  try {
    const findings = new Scanner(engine, key).wholeBytes(bytes);
    return { id, kind: 'found', findings, milliseconds: performance.now() - began };
  } catch (error) {
    if (!(error instanceof BudgetExceeded)) throw error;
    return { id, kind: 'too-costly', detail: error.message };
  }
}

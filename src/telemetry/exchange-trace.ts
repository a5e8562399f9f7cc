import type { TraceContext } from './trace-context.ts';

/** A step of an exchange, and when it began, in milliseconds of `performance.now()`. */
export interface TracedStep {
  readonly name: string;
  readonly span: string;
  readonly began: number;
}

/** What is noted of one exchange for its trace. Steps follow one another: each ends where the next begins. */
export class ExchangeTrace {
  readonly #id: (bytes: number) => string;
  readonly span: string;
  /** Whether it is exported; whoever is asked next is told. */
  readonly sampled: boolean;
  readonly trace: string;
  /** Whoever began the trace; null: this exchange. */
  readonly parent: TraceContext | null;
  readonly steps: TracedStep[] = [];
  #sent: string | null = null;

  constructor(parent: TraceContext | null, sampled: boolean, id: (bytes: number) => string) {
    this.#id = id;
    this.parent = parent;
    this.sampled = sampled;
    this.trace = parent?.trace ?? id(16);
    this.span = id(8);
  }

  /** A step begins, and with it the one before has ended. */
  step(name: string): void {
    if (this.sampled)
      this.steps.push({ name, span: name === SENDING ? this.sending : this.#id(8), began: performance.now() });
  }

  /** The span that the upstream is told is above its own: of the step that sends the request. */
  get sending(): string {
    return (this.#sent ??= this.#id(8));
  }
}

/** The step in which the request leaves and its answer is waited for. */
export const SENDING = 'send';

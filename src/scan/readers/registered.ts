import { TRAITS } from '../bytes.ts';
import { plainDetector, type DetectorSpec } from '../../model/detector.ts';
import { Registered, STRIDE, type Meeting, type RegisteredValue } from '../registered.ts';
import type { Reader } from '../reader.ts';
import type { View } from '../view.ts';

/** Bytes of what came before that the kernel looks at again (kernel/sought.ts): more than the shortest value has. */
const OVERLAP = 16;

/** Meetings that wait for the rest of their value. */
interface Waiting {
  readonly meeting: Meeting;
  /** Place where the value would begin. */
  readonly start: number;
}

/** Looks for values that were registered, at every fourth byte. */
export class RegisteredReader implements Reader {
  readonly #view: View;
  /** The next place to look at: a multiple of the stride. */
  #next = 0;
  #waiting: Waiting[] = [];
  waiting = Infinity;
  readonly asks = TRAITS.registered;

  constructor(view: View) {
    this.#view = view;
  }

  opened(): number {
    return this.#waiting.reduce((place, { start }) => Math.min(place, this.#view.sourceOf(start)), Infinity);
  }

  restart(): void {
    this.#next = this.#view.end;
    this.#waiting = [];
    this.waiting = Infinity;
  }

  read(_from: number, to: number, final: boolean): void {
    const { registered } = this.#view.context.engine;
    const { bytes, base, begin, context, traits } = this.#view;
    if (this.#waiting.length === 0 && (registered.current.size === 0 || (traits & TRAITS.registered) === 0)) {
      // The kernel has seen that no value is there; of one that its last bytes begin, it tells when the rest has come.
      const passed = base + to - OVERLAP - this.#next;
      if (passed > 0) this.#next += STRIDE * Math.ceil(passed / STRIDE);
      return;
    }
    const { current } = registered;
    if (this.#waiting.length > 0) this.#waiting = this.#waiting.filter((each) => !this.#conclude(each, to, current));
    let at = this.#next - base;
    for (; at + Registered.WINDOW <= to; at += STRIDE) {
      const meetings = current.meet(bytes, at);
      if (meetings === null) continue;
      context.budget.spend(64 * meetings.length);
      for (const meeting of meetings) {
        const start = base + at - meeting.offset;
        if (start < begin || start < base) continue;
        if (!this.#conclude({ meeting, start }, to, current)) this.#waiting.push({ meeting, start });
      }
    }
    this.#next = base + at;
    if (final) this.#waiting = [];
    this.waiting = this.#waiting.reduce((place, { start }) => Math.min(place, start), Infinity);
  }

  /** False while the rest of the value is still to come. */
  #conclude({ meeting, start }: Waiting, to: number, registered: Registered): boolean {
    const { bytes, base, context } = this.#view;
    const { value, print } = meeting;
    const from = start - base;
    if (from + print.length > to) return false;
    context.budget.spend(print.length);
    const text = bytes.subarray(from, from + print.length);
    if (registered.confirms(print, text))
      context.report(specOf(value), this.#view, from, from + print.length, value.name);
    return true;
  }
}

const specs = new WeakMap<RegisteredValue, DetectorSpec>();

/** A registered value as the detector that finds it. */
function specOf(value: RegisteredValue): DetectorSpec {
  let spec = specs.get(value);
  if (spec === undefined) {
    spec = plainDetector({
      name: `${value.kind}:${value.name}`,
      family: 'registered-values',
      severity: 'critical',
      belongsTo: value.belongsTo,
      description: `registered as ${value.name}`,
    });
    specs.set(value, spec);
  }
  return spec;
}

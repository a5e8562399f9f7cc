/** Where an exchange stands in a trace (W3C Trace Context, level 1). */
export interface TraceContext {
  /** 32 hex digits. */
  readonly trace: string;
  /** Span of whoever asks, 16 hex digits. */
  readonly span: string;
  /** Whoever asks records its own part. */
  readonly sampled: boolean;
}

/** Version, trace, span, flags (section 3.2); a later version may say more behind a dash. */
const FORM = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads `traceparent`; null where there is none, more than one, or what is none (section 3.2.2): then a new trace begins. */
export function readTraceparent(values: readonly string[]): TraceContext | null {
  const [value] = values;
  const match = values.length === 1 && value !== undefined ? FORM.exec(value) : null;
  if (match === null) return null;
  const [, version = '', trace = '', span = '', flags = '', more] = match;
  if (version === '00' && more !== undefined) return null;
  return { trace, span, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Writes `traceparent`, in version 00. */
export function traceparentOf({ trace, span, sampled }: TraceContext): string {
  return `00-${trace}-${span}-${sampled ? '01' : '00'}`;
}

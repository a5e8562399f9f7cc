export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly message: string;
      readonly hint: string;
      /** Keys that lead from the value to where the mistake is. */
      readonly at?: readonly string[];
    };

/** A mistake in a rule: the message is for its author, and the keys lead to where it is. */
export class RuleError extends Error {
  override name = 'RuleError';
  readonly at: readonly string[];

  constructor(message: string, at: readonly string[] = []) {
    super(message);
    this.at = at;
  }
}

/** Runs what may throw a RuleError for a part of a rule, below this key. */
export function below<T>(key: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof RuleError) throw new RuleError(error.message, [key, ...error.at]);
    throw error;
  }
}

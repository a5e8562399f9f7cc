/** Undoes one compressed stream, piece by piece. */
export interface Expander {
  /** What these bytes expand to; null where they are no such stream. */
  push(bytes: Buffer): Buffer | null;
  /** The stream has ended. */
  readonly over: boolean;
  close(): void;
}

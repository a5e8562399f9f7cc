/** One setting: its key in the file; flag and environment variable follow from it. Text in, a value or null out. */
export interface Setting {
  readonly key: string;
  readonly default: string;
  readonly describe: string;
  /** What a right value looks like, for error messages and the reference page. */
  readonly form: string;
  /** May be given more than once; the file takes a list or, for pins, a map. */
  readonly many?: boolean;
  /** Key of the map it stands in, where the file may say the value in its place. */
  readonly short?: string;
  /** A path: relative to the file it stands in, else to the working folder. */
  readonly path?: boolean;
  /** May hold a password: messages leave out what stands before `@`. */
  readonly secret?: boolean;
  readonly parse: (text: string) => unknown;
}

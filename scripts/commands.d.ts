export declare const COMMANDS: ReadonlyArray<readonly string[]>;

/** An agent's task: a part of what the agent may do, for a time. */
export interface Session {
  readonly id: string;
  readonly agent: string;
  /** Capabilities it holds of those granted to the agent; null: all that the agent may. */
  readonly capabilities: readonly string[] | null;
  /** Names and values of whoever made it, for the record. */
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly issued: number;
  readonly expires: number;
}

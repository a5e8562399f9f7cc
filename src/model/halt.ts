/** What can be stopped at once. */
export const HALT_KINDS = ['agent', 'session', 'capability', 'tenant', 'all'] as const;
export type HaltKind = (typeof HALT_KINDS)[number];

/** Something that has been stopped, until somebody revives it. */
export interface Halt {
  readonly kind: HaltKind;
  /** Name of the agent, capability or tenant, id of the session; empty for everything. */
  readonly name: string;
  /** Why, in the words of who did it. */
  readonly reason: string;
  readonly by: string;
  readonly time: string;
  /** What the gate did by itself: it `halt`s, or `enforce`s what was only observed. Left out where people did it. */
  readonly quarantine?: 'halt' | 'enforce' | undefined;
  /** When a quarantine ends by itself, in ISO 8601. */
  readonly until?: string | undefined;
}

/** Who is asked about: an agent, with what it belongs to and uses. */
export interface HaltSubject {
  readonly agent: string;
  readonly tenant: string | null;
  /** Null where none is known yet. */
  readonly capability: string | null;
  /** Id of its session; null outside of any. */
  readonly session: string | null;
}

/** `agent bot`, or `everything`. */
export function haltScope({ kind, name }: Pick<Halt, 'kind' | 'name'>): string {
  return kind === 'all' ? 'everything' : `${kind} ${name}`;
}

/** What tells halts apart: a quarantine, which ends by itself, never stands in the place of what people stopped. */
export function haltKey({ kind, name, quarantine }: Pick<Halt, 'kind' | 'name' | 'quarantine'>): string {
  const scope = haltScope({ kind, name });
  return quarantine === undefined ? scope : quarantineKey(quarantine, scope);
}

export function quarantineKey(does: 'halt' | 'enforce', scope: string): string {
  return `quarantine ${does} ${scope}`;
}

/** Every scope that holds this subject. */
export function haltScopes({ agent, tenant, capability, session }: HaltSubject): string[] {
  return [
    'everything',
    `agent ${agent}`,
    ...(session === null ? [] : [`session ${session}`]),
    ...(tenant === null ? [] : [`tenant ${tenant}`]),
    ...(capability === null ? [] : [`capability ${capability}`]),
  ];
}

/** Whether a halt is of this subject. */
export function halts({ kind, name }: Pick<Halt, 'kind' | 'name'>, subject: HaltSubject): boolean {
  if (kind === 'all') return true;
  if (kind === 'agent') return subject.agent === name;
  if (kind === 'session') return subject.session === name;
  return kind === 'tenant' ? subject.tenant === name : subject.capability === name;
}

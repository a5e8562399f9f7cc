/** How far a decision is enforced (POLICY.md, "Modes"). */
export const MODES = ['observe', 'warn', 'enforce'] as const;
export type Mode = (typeof MODES)[number];

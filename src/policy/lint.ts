import type { Place } from '../model/decision.ts';
import { covers } from './conflicts.ts';
import { demandsCover } from './demands.ts';
import type { HostIndex } from './host-index.ts';
import type { HostPattern } from './host-pattern.ts';
import type { AgentPolicy, Policy } from './policy.ts';
import { asksNoMore, obligationKey, type Rule } from './rule.ts';

/** Something in rules that is allowed and yet worth a second look. */
export interface Finding {
  readonly kind: 'over-broad' | 'shadowed' | 'unused' | 'reach';
  readonly place: Place;
  readonly message: string;
}

/** Names below which anybody can have a host of their own: a wildcard over them is the internet again. */
const SHARED: ReadonlySet<string> = new Set(
  `github.io gitlab.io pages.dev workers.dev r2.dev vercel.app netlify.app herokuapp.com cloudfront.net
  amazonaws.com s3.amazonaws.com blob.core.windows.net azurewebsites.net appspot.com run.app web.app
  firebaseapp.com storage.googleapis.com fly.dev onrender.com repl.co glitch.me surge.sh blogspot.com
  wordpress.com myshopify.com supabase.co ngrok.io ngrok.app ngrok-free.app trycloudflare.com loca.lt serveo.net
  localhost.run`.split(/\s+/),
);

/** Services that take anything from anybody and show it to somebody else. */
const DROPS: ReadonlySet<string> = new Set(
  `pastebin.com paste.ee hastebin.com dpaste.org dpaste.com ix.io sprunge.us termbin.com gist.github.com rentry.co
  telegra.ph transfer.sh file.io 0x0.st gofile.io catbox.moe webhook.site requestbin.com pipedream.net
  beeceptor.com interact.sh oast.fun oast.pro api.telegram.org hooks.slack.com discord.com discordapp.com`.split(/\s+/),
);

/** What in a policy reaches further than its authors may have meant. */
export function lintPolicy(policy: Policy): Finding[] {
  const findings = new Map<string, Finding>();
  const add = (finding: Finding): void => {
    const { kind, place, message } = finding;
    findings.set(`${kind} ${place.file}:${place.line}:${place.column} ${message}`, finding);
  };
  for (const agent of policy.agents.values()) {
    const rules = allowed(agent);
    for (const rule of rules) {
      const message = overBroad(rule);
      if (message !== null) add({ kind: 'over-broad', place: rule.place, message });
    }
    for (const finding of shadowed(rules)) add(finding);
    for (const finding of denied(agent, [...deniesOf(agent), ...rulesOf(policy.deny)])) add(finding);
  }
  return sorted([...findings.values()]);
}

/** What an agent may do under new rules that it could not do under old ones. */
export function lintReach(before: Policy, after: Policy): Finding[] {
  const findings: Finding[] = [];
  for (const agent of after.agents.values()) {
    const old = before.agents.get(agent.name);
    const had = old === undefined ? [] : allowed(old);
    for (const rule of allowed(agent)) {
      if (had.some((each) => reaches(each, rule))) continue;
      findings.push({ kind: 'reach', place: rule.place, message: `${agent.name} gains ${rule.text}` });
    }
    if (old === undefined) continue;
    const denies = [...deniesOf(agent), ...rulesOf(after.deny)];
    for (const rule of [...deniesOf(old), ...rulesOf(before.deny)]) {
      if (denies.some((each) => reaches(each, rule))) continue;
      findings.push({ kind: 'reach', place: rule.place, message: `${agent.name} is no longer denied ${rule.text}` });
    }
    if (old.mode === 'enforce' && agent.mode !== 'enforce') {
      const place = allowed(agent)[0]?.place ?? { file: agent.name, line: 1, column: 1 };
      findings.push({
        kind: 'reach',
        place,
        message: `${agent.name} is no longer held to its rules: mode ${agent.mode}`,
      });
    }
  }
  return sorted(findings);
}

/** Rules that no recorded request was allowed by; `used` holds them as `text (capability)`, as the audit log says them. */
export function lintUnused(policy: Policy, used: ReadonlySet<string>, since: string): Finding[] {
  const findings = new Map<string, Finding>();
  for (const rule of [...policy.agents.values()].flatMap(allowed)) {
    const key = rule.capability === null ? rule.text : `${rule.text} (${rule.capability})`;
    if (used.has(key)) continue;
    const { file, line, column } = rule.place;
    const message = `${rule.text} allowed nothing since ${since}`;
    findings.set(`${file}:${line}:${column}`, { kind: 'unused', place: rule.place, message });
  }
  return sorted([...findings.values()]);
}

function overBroad({ text, endpoint }: Rule): string | null {
  const { host, methods, paths } = endpoint;
  if (host.kind === 'any') return `${text} opens every host on the internet`;
  if (host.kind !== 'exact' && isShared(host))
    return `${text} opens hosts that anybody can have: name the ones you mean`;
  if (host.kind === 'exact' && DROPS.has(host.host)) return `${text} is a place to leave data for others`;
  const everything = methods === null && asksNoMore(endpoint) && paths.every((path) => path.text === '/**');
  if (!everything || endpoint.scheme === 'tcp' || !endpoint.intercept) return null;
  return `${text} allows any method on any path: name the ones that are used`;
}

/** Shared hosting itself, or a name above it. */
function isShared({ host }: HostPattern): boolean {
  return SHARED.has(host) || [...SHARED].some((name) => name.endsWith(`.${host}`)) || !host.includes('.');
}

/** Granted endpoints that a deny takes away whole, from this agent. An agent's own such endpoints do not load at all. */
function denied(agent: AgentPolicy, denies: readonly Rule[]): Finding[] {
  return allowed(agent).flatMap((rule): Finding[] => {
    const deny = denies.find((each) => reaches(each, rule));
    if (deny === undefined) return [];
    const message = `${rule.text} is of no use to ${agent.name}: ${deny.text} (${deny.place.file}:${deny.place.line}) denies it whole`;
    return [{ kind: 'shadowed', place: rule.place, message }];
  });
}

/** Rules without which an agent could do the same. */
function shadowed(rules: readonly Rule[]): Finding[] {
  return rules.flatMap((rule): Finding[] => {
    const other = rules.find(
      (each) =>
        each !== rule && obligationKey(each) === obligationKey(rule) && !sayTheSame(each, rule) && reaches(each, rule),
    );
    if (other === undefined || reaches(rule, other)) return [];
    const message = `${rule.text} adds nothing: ${other.text} (${other.place.file}:${other.place.line}) allows it too`;
    return [{ kind: 'shadowed', place: rule.place, message }];
  });
}

/** Whether one rule means all that another means. */
function reaches(outer: Rule, inner: Rule): boolean {
  if (sayTheSame(outer, inner)) return true;
  if (!covers(outer.endpoint, inner.endpoint) || !demandsCover(outer.endpoint, inner.endpoint)) return false;
  return outer.endpoint.websocket !== null || inner.endpoint.websocket === null;
}

function sayTheSame(a: Rule, b: Rule): boolean {
  return a.text === b.text && a.endpoint.demands === b.endpoint.demands;
}

function allowed(agent: AgentPolicy): Rule[] {
  return agent.allow.flatMap(rulesOf);
}

function deniesOf(agent: AgentPolicy): Rule[] {
  return rulesOf(agent.deny);
}

function rulesOf(index: HostIndex): Rule[] {
  return [...new Set([...index.groups()].flatMap((group) => group.entries.map((entry) => entry.rule)))];
}

function sorted(findings: Finding[]): Finding[] {
  return findings.sort(
    (a, b) =>
      a.place.file.localeCompare(b.place.file) || a.place.line - b.place.line || a.message.localeCompare(b.message),
  );
}

import { parseCidr, type Cidr } from '../model/cidr.ts';
import { placeText } from '../model/decision.ts';
import { problemAt, type Problem } from './problem.ts';
import type { AgentSpec, CapabilitySpec, RulesFile, TenantSpec } from './schema.ts';
import type { DetectorFileSpec } from './scan-schema.ts';
import { keyRangeOf, rangeOf, type Source } from './source.ts';

/** Something defined by name, with where. */
export interface Named<T> {
  readonly name: string;
  readonly spec: T;
  readonly source: Source;
}

/** All files as one set of definitions. */
export interface Merged {
  readonly agents: ReadonlyMap<string, Named<AgentSpec>>;
  readonly capabilities: ReadonlyMap<string, Named<CapabilitySpec>>;
  readonly tenants: ReadonlyMap<string, Named<TenantSpec>>;
  readonly detectors: ReadonlyMap<string, Named<DetectorFileSpec>>;
  readonly networks: ReadonlyMap<string, readonly Cidr[]>;
  readonly defaults: Named<NonNullable<RulesFile['defaults']>> | null;
}

export interface CheckedFile {
  readonly source: Source;
  readonly file: RulesFile;
}

/** Merges files; a name defined twice is a problem that shows both places. */
export function mergeFiles(files: readonly CheckedFile[], problems: Problem[]): Merged {
  const networks = new Map<string, readonly Cidr[]>();
  for (const [name, { spec, source }] of collect(files, 'networks', problems)) {
    networks.set(name, parseCidrs(spec, source, ['networks', name], problems));
  }
  let defaults: Merged['defaults'] = null;
  for (const { source, file } of files) {
    if (file.defaults === undefined) continue;
    if (defaults !== null)
      problems.push(
        twice(
          'defaults',
          source,
          keyRangeOf(source, [], 'defaults'),
          defaults.source,
          keyRangeOf(defaults.source, [], 'defaults'),
        ),
      );
    defaults ??= { name: 'defaults', spec: file.defaults, source };
  }
  return {
    agents: collect(files, 'agents', problems),
    capabilities: collect(files, 'capabilities', problems),
    tenants: collect(files, 'tenants', problems),
    detectors: collect(files, 'detectors', problems),
    networks,
    defaults,
  };
}

/** Parses a list of address ranges that stands at `path`. */
export function parseCidrs(texts: readonly string[], source: Source, path: PropertyKey[], problems: Problem[]): Cidr[] {
  const parsed: Cidr[] = [];
  texts.forEach((text, index) => {
    const cidr = parseCidr(text);
    if (cidr !== null) parsed.push(cidr);
    else
      problems.push(
        problemAt(source, rangeOf(source, [...path, index]), `"${text}" is not an address range`, {
          hint: 'write 10.20.0.0/16 or fd00::/8',
        }),
      );
  });
  return parsed;
}

type Section = 'agents' | 'capabilities' | 'tenants' | 'networks' | 'detectors';

function collect<S extends Section>(
  files: readonly CheckedFile[],
  section: S,
  problems: Problem[],
): Map<string, Named<NonNullable<RulesFile[S]>[string]>> {
  const found = new Map<string, Named<NonNullable<RulesFile[S]>[string]>>();
  for (const { source, file } of files) {
    for (const [name, spec] of Object.entries(file[section] ?? {})) {
      const first = found.get(name);
      if (first === undefined) found.set(name, { name, spec: spec as NonNullable<RulesFile[S]>[string], source });
      else
        problems.push(
          twice(
            `${section.slice(0, -1)} "${name}"`.replace('capabilitie', 'capability'),
            source,
            keyRangeOf(source, [section], name),
            first.source,
            keyRangeOf(first.source, [section], name),
          ),
        );
    }
  }
  return found;
}

function twice(
  what: string,
  source: Source,
  range: readonly [number, number],
  firstSource: Source,
  firstRange: readonly [number, number],
): Problem {
  const { line } = firstSource.lines.linePos(firstRange[0]);
  const first = placeText({ file: firstSource.name, line, column: 1 });
  return problemAt(source, range, `${what} is defined twice`, { hint: `the other definition is at ${first}` });
}

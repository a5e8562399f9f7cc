import { uriHost } from '../model/host.ts';
import { canonicalPath } from '../model/path.ts';
import { parseAuthority } from '../model/target.ts';
import type { Parsed } from './parsed.ts';
import type { CapabilitySpec, EndpointSpec } from './schema.ts';
import { didYouMean } from './suggest.ts';

/** The values of a capability's parameters for one grant, in the form that stands in its endpoints. */
export type ParameterValues = ReadonlyMap<string, string>;

/** Checks the values a grant gives against what the capability declares. */
export function bindParameters(
  capability: CapabilitySpec,
  given: Readonly<Record<string, string>>,
): Parsed<ParameterValues> {
  const declared = capability.parameters ?? {};
  const names = Object.keys(declared);
  for (const name of Object.keys(given)) {
    if (declared[name] === undefined)
      return wrong(`the capability has no parameter "${name}"`, didYouMean(name, names));
  }
  const values = new Map<string, string>();
  for (const [name, parameter] of Object.entries(declared)) {
    // A default may be another parameter's value: `${registry}`.
    const text =
      given[name] ??
      parameter.default?.replaceAll(/\$\{([^}]*)\}/g, (whole, other: string) => values.get(other) ?? whole);
    if (text === undefined)
      return wrong(`the parameter "${name}" is missing`, `write { use: …, with: { ${name}: … } }`);
    const value = parameter.type === 'host' ? parseHostValue(text) : parseOriginValue(text);
    if (value === null) {
      return wrong(
        `"${text}" is not a value for "${name}"`,
        parameter.type === 'host' ? 'write a host name' : 'write a host, or a URL such as https://mirror.example/npm',
      );
    }
    values.set(name, value);
  }
  return { ok: true, value: values };
}

/** Puts the values into `${name}` of every text of an endpoint. */
export function fillEndpoint(endpoint: EndpointSpec, values: ParameterValues): Parsed<EndpointSpec> {
  let unknown: string | null = null;
  const fill = (text: string): string =>
    text.replaceAll(/\$\{([^}]*)\}/g, (whole, name: string) => {
      const value = values.get(name);
      if (value === undefined) unknown ??= name;
      return value ?? whole;
    });
  const filled =
    typeof endpoint === 'string'
      ? fill(endpoint)
      : {
          ...endpoint,
          host: fill(endpoint.host),
          ...(endpoint.paths === undefined ? {} : { paths: endpoint.paths.map(fill) }),
        };
  if (unknown !== null)
    return wrong(`the capability has no parameter "${String(unknown)}"`, didYouMean(unknown, [...values.keys()]));
  return { ok: true, value: filled };
}

function parseHostValue(text: string): string | null {
  const authority = parseAuthority(text);
  return authority === null || authority.port !== null ? null : uriHost(authority.host);
}

/** `[scheme://]host[:port][/prefix]` as `scheme://host[:port][/prefix]`, without wildcards or a trailing slash. */
export function parseOriginValue(text: string): string | null {
  const match = /^(?:(https?):\/\/)?([^/?#\s*]+)(\/[^?#\s*]*)?$/.exec(text);
  if (match === null) return null;
  const authority = parseAuthority(match[2] ?? '');
  if (authority === null) return null;
  const path = canonicalPath(match[3] ?? '/').canonical;
  if (path === null) return null;
  const port = authority.port === null ? '' : `:${authority.port}`;
  return `${match[1] ?? 'https'}://${uriHost(authority.host)}${port}${path.replace(/\/$/, '')}`;
}

function wrong<T>(message: string, hint: string): Parsed<T> {
  return { ok: false, message, hint };
}

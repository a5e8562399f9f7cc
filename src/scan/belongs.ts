/**
 * Whether a host is one of those a credential belongs to. A pattern is a name, or `*.` (one label) or `**.` (any number)
 * before one, as in rules.
 */
export function belongs(host: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    if (pattern.startsWith('**.')) return host.endsWith(pattern.slice(2));
    if (!pattern.startsWith('*.')) return host === pattern;
    const label = host.slice(0, host.length - pattern.length + 1);
    return host.endsWith(pattern.slice(1)) && label !== '' && !label.includes('.');
  });
}

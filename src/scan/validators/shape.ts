/** A JSON Web Token (RFC 7519): its first part is a JSON object that names an algorithm. */
export function jwt(text: string): boolean {
  const [head = ''] = text.split('.', 1);
  const json = Buffer.from(head, 'base64url').toString('latin1');
  return json.startsWith('{') && /"(?:alg|enc|typ)"\s*:/.test(json);
}

/** Letters in both cases and digits, or nearly: what random text of this length has, and words have not. */
export function mixed(text: string): boolean {
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/].filter((kind) => kind.test(text)).length;
  return kinds === 3 || (kinds === 2 && /[0-9]/.test(text) && text.replace(/[^0-9]/g, '').length >= 2);
}

/** Not hexadecimal digits alone: those are hashes more often than keys. */
export function notHex(text: string): boolean {
  return /[^0-9a-fA-F]/.test(text);
}

/** Not a UUID. */
export function notUuid(text: string): boolean {
  return !/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text);
}

/** A URL whose password is one: not empty, not a variable, not the word "password". */
export function credentialUrl(text: string): boolean {
  const [, password] = /:\/\/[^\s:@/]*:([^\s@]+)@/.exec(text) ?? [];
  if (password === undefined || password.length < 4) return false;
  if (/^(?:\$|%|<|\{|\[|\*+$|x+$|\.+$)/i.test(password) || /\$\{|\{\{|<[a-z_-]+>|%s|%\(/i.test(password)) return false;
  return !/^(?:pass(?:word|wd|phrase)?|pwd|secret|your[-_]?password|changeme|example|test|user|username|admin|root|postgres|mysql|guest|token|key|foo|bar|foobar|hunter2|dbpass|s3cr3t|credentials)\d{0,3}$/i.test(
    password,
  );
}

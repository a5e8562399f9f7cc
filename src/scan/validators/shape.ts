/** What tokens in use say of themselves (RFC 7519 §4.1), and what those of tutorials say. */
const CLAIMS =
  /"(?:iss|sub|aud|exp|nbf|iat|jti|scope|scp|role|roles|email|user_id|client_id|azp|sid|tid|oid|uid|name)"\s*:/;
const TUTORIAL = /John Doe|"1234567890"|"some"\s*:\s*"payload"|"joe"|"foo"\s*:\s*"bar"/;

/** A JSON Web Token (RFC 7519, or encrypted, RFC 7516): its first part is a JSON object that names an algorithm. */
export function jwt(text: string): boolean {
  const parts = text.split('.');
  const [head = '', payload = ''] = parts.map((part) => Buffer.from(part, 'base64url').toString('latin1'));
  if (!head.startsWith('{') || !/"(?:alg|enc|typ)"\s*:/.test(head)) return false;
  return parts.length > 3 || (CLAIMS.test(payload) && !TUTORIAL.test(payload));
}

/** The last word is what a password may be: no plain word, and not the word for one. */
export function strongTail(text: string): boolean {
  const tail = text.split(/[\s:]+/).at(-1) ?? '';
  return tail.length >= 6 && /[^a-z]/.test(tail) && !/^<|^\$|password|passwd/i.test(tail);
}

/** Letters in both cases and digits, or nearly: what random text of this length has, and words have not. */
export function mixed(text: string): boolean {
  const digits = /[0-9]/.test(text);
  const [lower, upper] = [/[a-z]/.test(text), /[A-Z]/.test(text)];
  if (digits) return lower || upper;
  // Words in one piece have single capitals; what was drawn has them side by side, and often.
  return lower && upper && /[A-Z]{2}/.test(text) && (text.match(/[a-z][A-Z]/g) ?? []).length >= 2;
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
  if (password.length < 20 && /secret|passw|example|%20/i.test(password)) return false;
  return !/^(?:pass(?:word|wd|phrase)?|pwd|secret|your[-_]?password|changeme|example|test|user|username|admin|root|postgres|mysql|guest|token|key|foo|bar|foobar|hunter2|dbpass|s3cr3t|credentials)\d{0,3}$/i.test(
    password,
  );
}

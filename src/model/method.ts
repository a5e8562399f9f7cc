/** True for a request method as the grammar has it: `token` (RFC 9110 §9.1). */
export function isMethod(text: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text);
}

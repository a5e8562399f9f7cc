/** Shannon entropy of a text, in bits a character. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/** Words that stand in examples and templates, and in no credential: random text has six given letters once in a billion. */
const WORDS =
  /example|placeholder|changeme|change_me|change-me|replace|your[_-]|yourkey|yourtoken|yourapi|insert|redacted|dummy|sample|fake[_-]?(?:key|token|secret)|not[_-]?a?[_-]?real|xxxx|\*\*\*\*|\.\.\.\.|------|______|<[a-z_ -]+>|\$\{|\{\{|%\(|process\.env|os\.environ|getenv|1234567890|0123456789|abcdefgh|abcd1234|deadbeef|00000000|11111111|aaaaaaaa|ffffffff/i;

/** Whether a text is evidently no credential but what documentation and templates put in its place. */
export function isPlaceholder(text: string): boolean {
  return WORDS.test(text);
}

/**
 * Matches text against a pattern in which `*` stands for any run of characters. Greedy with one point of return, so the
 * cost is at most the product of both lengths and never exponential, whatever an agent sends.
 */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (p < pattern.length && pattern.charCodeAt(p) === 0x2a) {
      star = p++;
      resume = t;
    } else if (p < pattern.length && pattern.charCodeAt(p) === text.charCodeAt(t)) {
      p++;
      t++;
    } else if (star !== -1) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.length && pattern.charCodeAt(p) === 0x2a) p++;
  return p === pattern.length;
}

/** True when some text matches both patterns. */
export function globsOverlap(a: string, b: string): boolean {
  const seen = new Set<number>();
  const overlap = (i: number, j: number): boolean => {
    const state = i * (b.length + 1) + j;
    if (seen.has(state)) return false;
    seen.add(state);
    if (i === a.length && j === b.length) return true;
    if (a[i] === '*') return overlap(i + 1, j) || (j < b.length && overlap(i, j + 1));
    if (b[j] === '*') return overlap(i, j + 1) || (i < a.length && overlap(i + 1, j));
    return i < a.length && j < b.length && a[i] === b[j] && overlap(i + 1, j + 1);
  };
  return overlap(0, 0);
}

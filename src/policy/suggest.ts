/** The known word that is nearest to what was written, if it is near enough to be a slip; for "did you mean" hints. */
export function suggest(written: string, known: Iterable<string>): string | null {
  let best: string | null = null;
  let bestDistance = Math.min(3, Math.floor(written.length / 2) + 1);
  for (const word of known) {
    const distance = editDistance(written.toLowerCase(), word.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = word;
      bestDistance = distance;
    }
  }
  return best;
}

/** `did you mean "x"?`, or the known words when none is near. */
export function didYouMean(written: string, known: readonly string[]): string {
  const nearest = suggest(written, known);
  if (nearest !== null) return `did you mean "${nearest}"?`;
  return known.length === 0 ? 'none is defined' : `known here: ${known.slice(0, 20).join(', ')}`;
}

/** Edits (insert, delete, replace, swap of neighbours) between two words; `limit` or more is reported as `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((row[j - 1] ?? 0) + 1, (previous[j] ?? 0) + 1, (previous[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    before = previous;
    previous = row;
  }
  return Math.min(limit, previous[b.length] ?? limit);
}

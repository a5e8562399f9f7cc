/** What stands for bytes that did not come in time. */
export const PAUSED: unique symbol = Symbol('paused');

/** What is being read, unless it takes longer than so many milliseconds: then the reading goes on, and PAUSED is returned. */
export async function unlessPaused(
  reading: Promise<Buffer | null>,
  milliseconds: number,
): Promise<Buffer | null | typeof PAUSED> {
  let timer: NodeJS.Timeout | undefined;
  const pause = new Promise<typeof PAUSED>((resolve) => (timer = setTimeout(() => resolve(PAUSED), milliseconds)));
  try {
    return await Promise.race([reading, pause]);
  } finally {
    clearTimeout(timer);
  }
}

/** Both of two things that may take time; null where neither does. */
export function both(one: Promise<void> | null, other: Promise<void> | null): Promise<void> | null {
  if (one === null || other === null) return one ?? other;
  return Promise.all([one, other]).then(() => undefined);
}

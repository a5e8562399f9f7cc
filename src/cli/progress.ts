const WIDTH = 24;

/** A bar on the terminal; nothing where there is none. */
export function progress(done: number, all: number, name: string): void {
  if (!process.stderr.isTTY || all < 2) return;
  const filled = Math.round((done / all) * WIDTH);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${done}/${all} ${name.slice(-40)}`;
  process.stderr.write(done === all ? '\r\x1b[K' : `\r\x1b[K${bar}`);
}

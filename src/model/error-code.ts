/** What the system calls an error (`ENOENT`, `EACCES`), for messages: it names no path, secret or stack. */
export function errorCode(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code ?? 'unknown error';
}

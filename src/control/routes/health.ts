import { text, type Route } from '../answer.ts';

/** The process is alive. */
export const health: Route = (_control, response) => text(response, 200, 'ok\n');

/** The gate takes traffic: policy loaded, audit log writable, not draining. */
export const ready: Route = (control, response) => {
  const why = control.unready();
  text(response, why === null ? 200 : 503, why === null ? 'ready\n' : `not ready: ${why}\n`);
};

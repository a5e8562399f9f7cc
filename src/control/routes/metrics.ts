import { text, type Route } from '../answer.ts';

/** All metrics in the Prometheus text format. */
export const metrics: Route = async (control, response) => {
  text(response, 200, await control.metricsText(), control.metricsType);
};

import type { Registry } from 'prom-client';
import { HotCounter } from './hot.ts';

/** What is done about findings. */
const ACTIONS = ['alert', 'annotate', 'deny', 'redact'] as const;

/**
 * What agents did that somebody may have to look at. Each agent is there with 0 from the start: Prometheus does not see the first
 * value of a counter as an increase, and so not the first burst of an agent that had been quiet.
 */
export class AgentCounters {
  readonly #denied: HotCounter;
  readonly #findings: HotCounter;

  constructor(registry: Registry) {
    this.#denied = new HotCounter(
      'sallyport_agent_denied_total',
      'Requests of an agent that were denied; 0 from the start for each agent of the policy.',
      ['agent'],
      registry,
    );
    this.#findings = new HotCounter(
      'sallyport_agent_findings_total',
      'What the scanner found in what an agent sent or was sent, by what was done; 0 from the start for each agent of the policy.',
      ['agent', 'action'],
      registry,
    );
  }

  /** There is such an agent. */
  know(agent: string): void {
    this.#denied.add(agent, () => [agent], 0);
    for (const action of ACTIONS) this.#findings.add(`${agent} ${action}`, () => [agent, action], 0);
  }

  denied(agent: string): void {
    this.#denied.add(agent, () => [agent], 1);
  }

  found(agent: string, action: string): void {
    this.#findings.add(`${agent} ${action}`, () => [agent, action], 1);
  }
}

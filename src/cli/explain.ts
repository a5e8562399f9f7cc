import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { SETTINGS } from '../config/settings.ts';
import { consult } from '../decision-point/consult.ts';
import { DecisionPointError, DecisionPointOpener } from '../decision-point/open.ts';
import type { Decision } from '../model/decision.ts';
import type { BodyFacts, Facts } from '../model/facts.ts';
import { decide } from '../policy/decide.ts';
import { explain } from '../policy/explain.ts';
import { loadPolicy } from '../policy/load.ts';
import { formatProblem } from '../policy/problem.ts';
import { factsOfRequest } from '../policy/request.ts';
import { trust } from '../proxy/trust.ts';
import { CommandError, EXIT } from './exit.ts';
import { relativePlaces, shortenPaths } from './places.ts';
import { configOf, withSettings } from './settings.ts';

const EXPLAIN_SETTINGS = [
  'rules',
  'upstream.ca',
  ...SETTINGS.map(({ key }) => key).filter((key) => key.startsWith('policy.')),
];

interface ExplainOptions {
  readonly agent: string;
  readonly json?: string;
  readonly header?: string[];
  readonly source?: string;
}

/** `sallyport explain`: what the gate would say to one request, with the very function the gate uses. */
export function addExplain(program: Command): void {
  withSettings(program.command('explain'), EXPLAIN_SETTINGS)
    .description('say what the gate would answer to a request, and why')
    .requiredOption('--agent <name>', 'the agent that asks')
    .option('--json <body>', 'JSON body (adds Content-Type)')
    .option('--header <field>', '"Name: value"; may be repeated', (text: string, before: string[] | undefined) => [
      ...(before ?? []),
      text,
    ])
    .argument('<method>', 'request method')
    .argument('<url>', 'http, https, ws or wss URL')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport explain --agent example GET https://example.com/\n\nExit codes: 0 allowed, 1 denied, 2 wrong usage or rules that do not load.',
    )
    .action(async (method: string, url: string, options: ExplainOptions, command: Command) => {
      const config = configOf(command);
      const { policy, problems } = loadPolicy(config.rules);
      if (policy === null)
        throw new CommandError(
          `the rules do not load:\n${problems.map((problem) => formatProblem(relativePlaces(problem))).join('\n')}`,
        );
      const facts = factsOf(method, url, options);
      const decision = await consulted(decide(facts, policy), facts, config);
      process.stdout.write(`${shortenPaths(explain(facts, decision))}\n`);
      process.exitCode = decision.kind === 'allow' ? EXIT.ok : EXIT.negative;
    });
}

/** What becomes of the decision when external policies have had their say, where the configuration names any. */
async function consulted(decision: Decision, facts: Facts, config: Config): Promise<Decision> {
  if (config.policy.opa === null && config.policy.wasm === null) return decision;
  const opener = new DecisionPointOpener(config.policy, trust(config.upstream.ca));
  try {
    return await consult(decision, facts, opener.open());
  } catch (error) {
    if (error instanceof DecisionPointError) throw new CommandError(`${error.file}: ${error.message}`);
    throw error;
  } finally {
    opener.close();
  }
}

/** The facts the gate would gather from this request. */
function factsOf(method: string, url: string, options: ExplainOptions): Facts {
  const headers = (options.header ?? []).flatMap(parseHeader);
  const body = options.json === undefined ? NO_BODY : jsonBody(options.json);
  if (options.json !== undefined) headers.push('Content-Type', 'application/json');
  const facts = factsOfRequest({ agent: options.agent, method, url, headers, body });
  if (!facts.ok) throw new CommandError(`${facts.message}: ${facts.hint}`);
  return facts.value;
}

const NO_BODY: BodyFacts = { kind: 'none' };

function jsonBody(text: string): BodyFacts {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new CommandError(`--json is not JSON: ${(error as Error).message}`);
  }
  return { kind: 'whole', bytes: Buffer.from(text), contentType: ['application/json'] };
}

function parseHeader(text: string): string[] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new CommandError(`--header "${text}" is not "Name: value"`);
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

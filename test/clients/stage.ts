import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentEnvironment, writeTrust } from '../../src/cli/environment.ts';
import { TestCa } from '../support/certificates.ts';
import { TOKEN, startGate, type TestGate } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import type { RequestListener } from 'node:http';

export interface ClientStage {
  readonly gate: TestGate;
  readonly origin: Origin;
  /** Folder for the client's files; also its HOME. */
  readonly folder: string;
  /** The variables `sallyport run` sets, and nothing of the machine but PATH. */
  readonly environment: Record<string, string>;
  readonly proxyUrl: string;
  readonly bundle: string;
  close(): Promise<void>;
}

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A gate with agent `bot`, who may GET `https://site.test/ok/**`, and an origin behind it. Clients know it by its variables only. */
export async function openStage(
  options: { allow?: readonly string[]; serve?: RequestListener; host?: string } = {},
): Promise<ClientStage> {
  const host = options.host ?? 'site.test';
  const ca = await TestCa.create();
  const origin = await startOrigin({
    tls: await ca.leaf([host]),
    ...(options.serve === undefined ? {} : { streaming: options.serve }),
  });
  const gate = await startGate({
    allow: options.allow ?? ['GET,HEAD https://site.test/ok/**'],
    pins: [`${host}:443=127.0.0.1:${origin.port}`],
    upstreamCa: ca.certificate,
  });
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-client-'));
  mkdirSync(join(folder, 'home'));
  const proxyUrl = `http://bot:${TOKEN}@127.0.0.1:${gate.port}`;
  const trust = writeTrust(folder, gate.gate.caFile);
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: join(folder, 'home'),
    LANG: 'C.UTF-8',
    ...agentEnvironment({ proxyUrl, caFile: gate.gate.caFile, ...trust }),
  };
  const close = async (): Promise<void> => {
    await gate.close();
    await origin.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { gate, origin, folder, environment, proxyUrl, bundle: trust.bundleFile, close };
}

/** Runs a client with the agent's environment. */
export async function run(
  stage: ClientStage,
  command: string,
  args: readonly string[],
  more: { environment?: Record<string, string>; cwd?: string } = {},
): Promise<Finished> {
  const child = spawn(command, args, {
    cwd: more.cwd ?? stage.folder,
    env: { ...stage.environment, ...more.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  return { code, out, err };
}

import { afterAll, beforeAll } from 'vitest';
import { TestCa } from '../support/certificates.ts';
import { startGate, type GateOptions, type TestGate } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';

/** A gate with one allowed origin over TLS (`api.test`) and one in the clear (`plain.test`), shared by a file's cases. */
export interface Stage {
  gate: TestGate;
  secure: Origin;
  plain: Origin;
  ca: TestCa;
  /** Requests and connections both origins have seen so far. */
  seen(): number;
}

/** Builds the stage before a file's tests and takes it down after them. */
export function useStage(options: Omit<GateOptions, 'pins' | 'upstreamCa'> = {}): Stage {
  const stage = {} as Stage;
  beforeAll(async () => {
    stage.ca = await TestCa.create();
    stage.secure = await startOrigin({ tls: await stage.ca.leaf(['api.test']) });
    stage.plain = await startOrigin();
    stage.gate = await startGate({
      allow: ['* https://api.test/**', '* http://plain.test/**'],
      ...options,
      pins: [`api.test:443=127.0.0.1:${stage.secure.port}`, `plain.test:80=127.0.0.1:${stage.plain.port}`],
      upstreamCa: stage.ca.certificate,
    });
    stage.seen = () => stage.secure.requests.length + stage.plain.requests.length;
  });
  afterAll(async () => {
    await stage.gate.close();
    await Promise.all([stage.secure.close(), stage.plain.close()]);
  });
  return stage;
}

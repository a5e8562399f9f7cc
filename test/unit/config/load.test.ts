import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig, loadSinks } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function load(
  text: string | null,
  environment: Record<string, string> = {},
  flags: Record<string, string[]> = {},
): Config {
  if (text !== null) writeFileSync(join(folder, 'c.yaml'), text);
  return loadConfig({
    file: text === null ? null : 'c.yaml',
    environment,
    flags: new Map(Object.entries(flags)),
    workingFolder: folder,
  });
}

describe('loadConfig()', () => {
  it('needs nothing', () => {
    expect(load(null)).toMatchObject({
      listen: { proxy: { host: '127.0.0.1', port: 8899 } },
      rules: join(folder, 'rules'),
      inspect: { buffer: 1_048_576 },
      upstream: { ca: [], timeouts: { connect: 10_000 } },
    });
  });

  it('takes flags over environment over file over defaults', () => {
    const file = 'listen: { proxy: "127.0.0.1:1", admin: "127.0.0.1:1" }\nstate: s1\n';
    const config = load(
      file,
      { SALLYPORT_LISTEN_PROXY: '127.0.0.1:2', SALLYPORT_LISTEN_ADMIN: '127.0.0.1:2' },
      { 'listen.proxy': ['127.0.0.1:3'] },
    );
    expect([config.listen.proxy.port, config.listen.admin.port, config.state]).toEqual([3, 2, join(folder, 's1')]);
  });

  it('reads pins as a map or a list, and several from one variable', () => {
    const expected = [['a.test:443', { host: '127.0.0.1', port: 1 }]];
    expect([...load('upstream: { pins: { "a.test:443": "127.0.0.1:1" } }\n').upstream.pins]).toEqual(expected);
    expect([...load('upstream: { pins: ["a.test:443=127.0.0.1:1"] }\n').upstream.pins]).toEqual(expected);
    expect(
      load(null, { SALLYPORT_UPSTREAM_PINS: 'a.test:443=127.0.0.1:1,b.test:443=127.0.0.1:1' }).upstream.pins.size,
    ).toBe(2);
  });

  it.each([
    ['listn: {}\n', 'c.yaml:1:1: unknown setting "listn"; see docs/reference/config.md'],
    ['listen: { proxi: x }\n', 'c.yaml:1:11: unknown setting "listen.proxi"; see docs/reference/config.md'],
    ['listen: x\n', 'c.yaml:1:9: "listen" must be a map'],
    [
      'listen: { proxy: x }\n',
      'c.yaml:1:18: "x" is not right for listen.proxy: write host:port; port 0 picks a free one',
    ],
    ['drain: [1s]\n', 'c.yaml:1:8: "drain" must be a duration such as 10s'],
    ['a: b: c\n', 'c.yaml:1:4: Nested mappings are not allowed in compact mappings'],
  ])('says of %j where and what', (text, message) => {
    expect(() => load(text)).toThrow(message);
  });

  it('says of flags and variables which', () => {
    expect(() => load(null, { SALLYPORT_DRAIN: 'soon' })).toThrow('SALLYPORT_DRAIN: "soon" is not right for drain');
    const secret = ['to', 'ken'].join('');
    const wrong = (): unknown => load(null, { SALLYPORT_UPSTREAM_PROXIES: `**=http://me:${secret}@proxy:x` });
    expect(wrong).toThrow('SALLYPORT_UPSTREAM_PROXIES: "**=http://…@proxy:x" is not right for upstream.proxies');
    expect(() => load(null, {}, { drain: ['soon'] })).toThrow('--drain: "soon" is not right for drain');
    expect(() => load(null, { SALLYPORT_DRIAN: '1s' })).toThrow('SALLYPORT_DRIAN: no such setting');
    expect(() => loadConfig({ file: 'none.yaml', environment: {}, flags: new Map(), workingFolder: folder })).toThrow(
      'none.yaml: cannot be read: ENOENT',
    );
  });

  it('lets Kubernetes set its service variables', () => {
    expect(() =>
      load(null, { SALLYPORT_SERVICE_HOST: '10.0.0.1', SALLYPORT_PORT_8899_TCP_ADDR: '10.0.0.1' }),
    ).not.toThrow();
  });
});

describe('loadSinks()', () => {
  const sinks = join(folder, 'sinks');
  mkdirSync(sinks);

  it('reads each file of the folder that is one, and nothing where there is no folder', () => {
    expect(loadSinks(null)).toEqual([]);
    for (const name of ['b.yml', 'a.yaml', '.hidden.yaml', 'secret'])
      writeFileSync(join(sinks, name), 'kind: otlp\nurl: https://a.test/\n');
    expect(loadSinks(sinks).map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('knows a sink by one file', () => {
    writeFileSync(join(sinks, 'a.yml'), 'kind: otlp\nurl: https://a.test/\n');
    expect(() => loadSinks(sinks)).toThrow(`${sinks}: two files are for a sink "a"`);
  });

  it('says that the folder cannot be read', () => {
    expect(() => loadSinks(join(folder, 'none'))).toThrow(/^audit\.sinks: .*none cannot be read: ENOENT$/);
  });

  it('is asked by who sends: a configuration loads whatever stands in it', () => {
    writeFileSync(join(sinks, 'a.yaml'), 'nothing');
    expect(load(null, {}, { 'audit.sinks': ['sinks'] }).audit.sinks).toBe(sinks);
  });
});

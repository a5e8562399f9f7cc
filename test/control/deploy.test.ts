import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { PROGRAM } from '../support/program.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-deploy-'));
afterAll(() => rmSync(folder, { recursive: true }));
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const run = (command: string, ...words: string[]): { code: number | null; out: string } => {
  const { status, stdout, stderr } = spawnSync(command, words, { cwd: ROOT, encoding: 'utf8' });
  return { code: status, out: stdout + stderr };
};

interface Service {
  readonly image: string;
  readonly build?: { readonly dockerfile: string };
  readonly networks?: readonly string[] | Readonly<Record<string, { readonly ipv4_address?: string } | null>>;
  readonly network_mode?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, unknown>>;
}

describe('docker-compose.yml', () => {
  const compose = parse(read('docker-compose.yml')) as {
    readonly services: Readonly<Record<string, Service>>;
    readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
    readonly volumes: Readonly<Record<string, unknown>>;
  };
  const services = Object.entries(compose.services);
  const networksOf = ({ networks = [] }: Service): string[] =>
    Array.isArray(networks) ? [...(networks as readonly string[])] : Object.keys(networks);

  it('brings up all there is, each of a version that is said', () => {
    expect(Object.keys(compose.services).sort()).toEqual(
      ['agent', 'alertmanager', 'gate', 'grafana', 'prometheus', 'receiver', 'redis', 'trust'].sort(),
    );
    for (const [name, { image }] of services)
      expect([name, image]).toEqual([name, expect.stringMatching(/:v?\d+\.\d+/)]);
  });

  it('gives an agent no way out but the gate', () => {
    const { agent, gate, trust } = compose.services as Record<string, Service>;
    expect(networksOf(agent as Service)).toEqual(['agents']);
    expect([agent?.network_mode, agent?.ports]).toEqual([undefined, undefined]);
    expect(compose.networks['agents']).toMatchObject({ internal: true });
    expect(services.filter(([, each]) => networksOf(each).includes('agents')).map(([name]) => name)).toEqual([
      'gate',
      'agent',
    ]);
    // The key of the CA is on no volume that an agent has, and it reaches no admin listener.
    expect(agent?.volumes).toEqual(['trust:/trust:ro']);
    expect(trust?.network_mode).toBe('none');
    const [proxy, admin] = ['SALLYPORT_LISTEN_PROXY', 'SALLYPORT_LISTEN_ADMIN'].map(
      (each) => gate?.environment?.[each],
    );
    const addresses = gate?.networks as Readonly<Record<string, { readonly ipv4_address?: string }>>;
    expect([proxy, admin]).toEqual([
      `${addresses['agents']?.ipv4_address}:8899`,
      `${addresses['watch']?.ipv4_address}:8898`,
    ]);
    expect(agent?.environment?.['HTTPS_PROXY']).toBe(`http://${proxy}`);
  });

  it('mounts what there is, names networks and volumes that there are, and publishes nothing but on this machine', () => {
    for (const [name, service] of services) {
      for (const volume of service.volumes ?? []) {
        const [source = ''] = volume.split(':');
        expect([
          name,
          source,
          source.startsWith('./') ? existsSync(join(ROOT, source)) : source in compose.volumes,
        ]).toEqual([name, source, true]);
      }
      for (const network of networksOf(service)) expect(compose.networks).toHaveProperty(network);
      for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
      for (const other of Object.keys(service.depends_on ?? {})) expect(compose.services).toHaveProperty(other);
      if (service.build !== undefined) expect(existsSync(join(ROOT, service.build.dockerfile))).toBe(true);
    }
  });

  it('has rules that load, and a receiver that runs', () => {
    expect(run(process.execPath, PROGRAM, 'check', 'deploy/compose/rules')).toMatchObject({ code: 0 });
    expect(run(process.execPath, '--check', 'deploy/compose/receiver.js')).toMatchObject({ code: 0 });
    // They find each other by the names that compose gives them.
    expect(read('deploy/prometheus/prometheus.yml')).toMatch(/alertmanager:9093[\s\S]*gate:8898/);
    expect(read('deploy/alertmanager/alertmanager.yml')).toContain('http://receiver:9095/');
  });
});

describe('deploy/Dockerfile', () => {
  const lines = read('deploy/Dockerfile').replaceAll('\\\n', ' ').split('\n');
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));

  it('copies what there is', () => {
    for (const line of lines.filter((each) => /^COPY (?!--from)/.test(each)))
      for (const source of line.split(' ').slice(1, -1))
        expect([line, existsSync(join(ROOT, source))]).toEqual([line, true]);
  });

  it('ends without a shell, and not as root', () => {
    expect(last[0]).toMatch(/^FROM gcr\.io\/distroless\//);
    expect(last).toContain('USER 65532:65532');
    expect(last.filter((line) => line.startsWith('RUN '))).toEqual([]);
    for (const line of last.filter((each) => /^(?:ENTRYPOINT|CMD|HEALTHCHECK)/.test(each)))
      expect(line).toMatch(/\[".*"\]$/);
  });
});

describe('deploy/systemd', () => {
  it('is a unit as systemd wants it, with little to reach', () => {
    const unit = 'deploy/systemd/sallyport.service';
    // It is not installed here.
    const { out } = run('systemd-analyze', 'verify', unit);
    expect(out.split('\n').filter((line) => line !== '' && !/is not executable|Command .* is not/.test(line))).toEqual(
      [],
    );
    const { code, out: report } = run('systemd-analyze', 'security', '--offline=true', '--threshold=15', unit);
    expect([code, report]).toEqual([
      0,
      expect.stringMatching(/Overall exposure level for sallyport\.service: [01]\.\d OK/),
    ]);
  });
});

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: Record<string, unknown>;
}

describe('deploy/kubernetes', () => {
  const files = ['gate', 'networkpolicy', 'agent'].map((name) => `deploy/kubernetes/${name}.yaml`);
  const manifests = files.flatMap((file) => parseAllDocuments(read(file)).map((each) => each.toJS() as Manifest));
  const python = join(ROOT, 'node_modules/.cache/python/bin/python');
  const validates = spawnSync(python, ['-c', 'import kubernetes_validate']).status === 0;

  it.runIf(validates)(
    'is what the schemas of Kubernetes say, of the oldest and the newest version that is looked after',
    () => {
      const program =
        'import sys, yaml, kubernetes_validate\nfor f in sys.argv[1:]:\n  for d in yaml.safe_load_all(open(f)):\n    for v in ("1.29", "1.33"): kubernetes_validate.validate(d, v, strict=True)';
      expect(run(python, '-c', program, ...files)).toEqual({ code: 0, out: '' });
    },
    60_000,
  );

  it('has all there should be', () => {
    expect(manifests.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining([
        'Deployment',
        'Service',
        'NetworkPolicy',
        'HorizontalPodAutoscaler',
        'PodDisruptionBudget',
        'Pod',
      ]),
    );
  });

  it('lets a pod of an agent reach the gate, and nothing else', () => {
    const pod = manifests.find(({ kind }) => kind === 'Pod');
    const policy = manifests.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'agents');
    const { podSelector, policyTypes, egress, ingress } = (policy?.spec ?? {}) as {
      podSelector: { matchLabels: Record<string, string> };
      policyTypes: string[];
      egress: unknown[];
      ingress: unknown[];
    };
    expect(pod?.metadata.labels).toMatchObject(podSelector.matchLabels);
    const gate = manifests.find(({ kind }) => kind === 'Deployment')?.metadata.labels;
    expect([policyTypes, ingress, egress]).toEqual([
      ['Ingress', 'Egress'],
      [],
      [{ to: [{ podSelector: { matchLabels: gate } }], ports: [{ protocol: 'TCP', port: 8899 }] }],
    ]);
  });
});

describe('deploy/grafana', () => {
  const dashboard = JSON.parse(read('deploy/grafana/dashboards/sallyport.json')) as {
    readonly panels: ReadonlyArray<{
      readonly title: string;
      readonly targets: ReadonlyArray<{ readonly expr: string }>;
    }>;
  };
  const queries = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

  it('is as its script writes it', () => {
    expect(JSON.parse(run(process.execPath, 'scripts/dashboard.js', '--print').out)).toEqual(dashboard);
  });

  it('asks what Prometheus can answer, of metrics that there are', () => {
    const reference = read('docs/reference/metrics.md');
    for (const [name] of queries.join('\n').matchAll(/sallyport_[a-z_]+/g))
      expect(reference).toContain(`\`${name.replace(/_bucket$/, '')}\``);
    const rules = queries.map((expr, index) => ({ record: `query:${index}`, expr: expr.replaceAll('$agent', '.*') }));
    const file = join(folder, 'queries.yaml');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    expect(run('promtool', 'check', 'rules', file)).toMatchObject({ code: 0 });
  });
});

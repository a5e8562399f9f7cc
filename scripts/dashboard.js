// Writes deploy/grafana/dashboards/sallyport.json. One panel a line here, for nobody can read the file itself.
//   node scripts/dashboard.js [--print]
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = join(import.meta.dirname, '../deploy/grafana/dashboards/sallyport.json');
const WIDTH = 24;
const agent = 'agent=~"$agent"';

/** Rows of panels: title, kind, unit, queries by legend, width of 24, thresholds. */
const ROWS = [
  [
    stat('Gates up', 'none', 'sum(up{job="sallyport"})', { red: null, green: 1 }),
    stat('Requests', 'reqps', 'sum(rate(sallyport_requests_total[1m]))'),
    stat('Denied', 'reqps', 'sum(rate(sallyport_agent_denied_total[1m]))', { green: null, red: 0.3 }),
    stat('Findings, last hour', 'none', 'round(sum(increase(sallyport_agent_findings_total[1h])))', {
      green: null,
      red: 1,
    }),
    stat('Contained and halted', 'none', 'sum(max by (kind) (sallyport_halts))', { green: null, red: 1 }),
    stat(
      'Unvetted',
      'percentunit',
      'sum(rate(sallyport_requests_total{decision="would-deny"}[10m])) / sum(rate(sallyport_requests_total[10m]))',
      { green: null, red: 0.005 },
    ),
  ],
  [
    graph('Denied, by agent', 'reqps', {
      '{{agent}}': `sum by (agent) (rate(sallyport_agent_denied_total{${agent}}[1m]))`,
    }),
    graph('Denied, by reason', 'reqps', {
      '{{reason}}': `sum by (reason) (rate(sallyport_requests_total{decision="deny",${agent}}[1m]))`,
    }),
  ],
  [
    graph('Requests, by decision', 'reqps', {
      '{{decision}}': `sum by (decision) (rate(sallyport_requests_total{${agent}}[1m]))`,
    }),
    graph('Findings, by family and action', 'none', {
      '{{family}} {{action}}': `sum by (family, action) (increase(sallyport_findings_total{${agent}}[5m]))`,
    }),
  ],
  [
    graph('Time to decide, p50 and p99', 's', {
      p50: 'histogram_quantile(0.5, sum by (le) (rate(sallyport_decision_seconds_bucket[1m])))',
      p99: 'histogram_quantile(0.99, sum by (le) (rate(sallyport_decision_seconds_bucket[1m])))',
      'external policy p99':
        'histogram_quantile(0.99, sum by (le) (rate(sallyport_decision_point_seconds_bucket[1m])))',
    }),
    graph('Whole request and upstream, p99', 's', {
      request: 'histogram_quantile(0.99, sum by (le) (rate(sallyport_request_seconds_bucket[1m])))',
      upstream: 'histogram_quantile(0.99, sum by (le) (rate(sallyport_upstream_seconds_bucket[1m])))',
      scan: 'histogram_quantile(0.99, sum by (le) (rate(sallyport_scan_seconds_bucket[1m])))',
    }),
    graph('Bytes', 'Bps', { '{{direction}}': 'sum by (direction) (rate(sallyport_bytes_total[1m]))' }),
  ],
  [
    graph('Audit log: waiting and unsigned events', 'none', {
      waiting: 'sum(sallyport_audit_waiting_events)',
      unsigned: 'sum(sallyport_audit_unsigned_events)',
    }),
    graph('Connections and tunnels', 'none', {
      connections: 'sum(sallyport_connections_open)',
      tunnels: 'sum(sallyport_tunnels_open)',
      'turns waiting': 'sum(sallyport_turns_waiting)',
    }),
    graph('Event loop, p99', 's', { '{{instance}}': 'sallyport_event_loop_lag_seconds' }),
  ],
];

function stat(title, unit, query, thresholds = { green: null }) {
  return { type: 'stat', title, unit, queries: { '': query }, thresholds };
}

function graph(title, unit, queries) {
  return { type: 'timeseries', title, unit, queries, thresholds: { green: null } };
}

export function dashboard() {
  let id = 0;
  let y = 0;
  const panels = ROWS.flatMap((row) => {
    const w = WIDTH / row.length;
    const h = row[0].type === 'stat' ? 4 : 8;
    const placed = row.map((each, index) => panel(each, ++id, { x: index * w, y, w, h }));
    y += h;
    return placed;
  });
  return {
    uid: 'sallyport',
    title: 'Sallyport',
    tags: ['sallyport'],
    schemaVersion: 39,
    refresh: '5s',
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [
        {
          name: 'agent',
          label: 'Agent',
          type: 'query',
          datasource: SOURCE,
          query: 'label_values(sallyport_agent_denied_total, agent)',
          includeAll: true,
          allValue: '.*',
          multi: true,
          current: { text: 'All', value: '$__all' },
          refresh: 2,
        },
      ],
    },
    annotations: {
      list: [
        {
          name: 'Changes of rules',
          datasource: SOURCE,
          enable: true,
          iconColor: 'blue',
          expr: 'changes(sallyport_policy_generation[1m]) > 0',
        },
      ],
    },
    links: [{ title: 'Runbooks', type: 'link', url: 'docs/runbooks/', targetBlank: true }],
    panels,
  };
}

const SOURCE = { type: 'prometheus', uid: 'prometheus' };

function panel({ type, title, unit, queries, thresholds }, id, gridPos) {
  const targets = Object.entries(queries).map(([legendFormat, expr], index) => ({
    refId: String.fromCharCode(65 + index),
    datasource: SOURCE,
    expr,
    ...(legendFormat === '' ? {} : { legendFormat }),
  }));
  const steps = Object.entries(thresholds).map(([color, value]) => ({ color, value }));
  return {
    id,
    type,
    title,
    datasource: SOURCE,
    gridPos,
    targets,
    fieldConfig: { defaults: { unit, thresholds: { mode: 'absolute', steps } }, overrides: [] },
    options:
      type === 'stat'
        ? { colorMode: 'background', graphMode: 'area' }
        : { legend: { placement: 'right' }, tooltip: { mode: 'multi' } },
  };
}

const text = `${JSON.stringify(dashboard(), null, 2)}\n`;
if (process.argv.includes('--print')) process.stdout.write(text);
else if (process.argv[1] === import.meta.filename) writeFileSync(FILE, text);

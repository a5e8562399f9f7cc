// Draws the panels of the dashboard from what a real Prometheus says of a real gate: docs/images/dashboard.svg.
//   npm run build && node scripts/dashboard-picture.js [seconds]
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dashboard } from './dashboard.js';
import { agent, loginOf, openStage, startGate, startOrigin } from '../test/bench/gates.js';
import { request } from 'node:http';

const SECONDS = Number(process.argv[2] ?? 150);
const PORT = 19_090;
const folder = mkdtempSync(join(tmpdir(), 'sallyport-picture-'));
const stage = openStage('picture');
const children = [];
const CELL = 48;
const COLOURS = ['#4e79a7', '#f28e2b', '#e15759', '#76b7b2', '#59a14f', '#edc948', '#b07aa1', '#9c755f'];

try {
  const origin = await startOrigin();
  const rules =
    agent('support-bot') + agent('mailer') + agent('researcher', 'mode: observe').replace('GET http', 'GET,POST http');
  const gate = await startGate(stage, 'gate', { rules, originPort: origin.port });
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `global: { scrape_interval: 1s }\nscrape_configs: [{ job_name: sallyport, static_configs: [{ targets: ['127.0.0.1:${gate.admin}'] }] }]\n`,
  );
  children.push(
    spawn(
      'prometheus',
      [
        `--config.file=${folder}/prometheus.yml`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${PORT}`,
      ],
      { stdio: 'ignore' },
    ),
  );
  const began = Date.now() / 1000;
  await traffic(gate.port);
  const svg = await draw(began, Date.now() / 1000);
  mkdirSync(join(import.meta.dirname, '../docs/images'), { recursive: true });
  writeFileSync(join(import.meta.dirname, '../docs/images/dashboard.svg'), svg);
} finally {
  for (const child of children) child.kill();
  stage.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

/** Three agents at work, one of which tries doors for a while, and one that sends a secret. */
async function traffic(port) {
  const secret = ['AKIA', 'IOSFODNN7', 'EXAMPLX'].join('');
  const end = Date.now() + SECONDS * 1000;
  for (let tick = 0; Date.now() < end; tick++) {
    const part = 1 - (end - Date.now()) / (SECONDS * 1000);
    const asks = [
      ...Array.from({ length: 6 + Math.round(3 * Math.sin(tick / 20)) }, () => ['support-bot', '/tickets?page=1']),
      ...Array.from({ length: 3 }, () => ['mailer', '/mail']),
      ['researcher', '/papers'],
    ];
    if (part > 0.45 && part < 0.75) asks.push(['mailer', 'http://203.0.113.9/door'], ['mailer', 'http://evil.test/in']);
    if (tick % 90 === 60) asks.push(['support-bot', `/note?text=${secret}`]);
    if (tick % 40 === 20) asks.push(['researcher', 'http://other.test/']);
    await Promise.all(asks.map(([as, path]) => ask(port, as, path)));
    await new Promise((done) => setTimeout(done, 200));
  }
}

function ask(port, as, path) {
  return new Promise((done) => {
    const url = path.startsWith('http') ? path : `http://api.test${path}`;
    const headers = { Host: new URL(url).host, 'Proxy-Authorization': loginOf(as) };
    const sent = request({ host: '127.0.0.1', port, path: url, headers, agent: false }, (answer) =>
      answer.resume().on('end', done),
    );
    sent.on('error', done);
    sent.end();
  });
}

async function query(expr, start, end) {
  const parameters = new URLSearchParams({ query: expr.replaceAll('$agent', '.*'), start, end, step: '1' });
  const response = await fetch(`http://127.0.0.1:${PORT}/api/v1/query_range?${parameters}`);
  return (await response.json()).data.result;
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

async function draw(start, end) {
  const { panels } = dashboard();
  const height = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h)) * 26;
  const drawn = [];
  for (const panel of panels) drawn.push(await (panel.type === 'stat' ? drawStat : drawGraph)(panel, start, end));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${24 * CELL} ${height}" font-family="sans-serif" font-size="11">\n<rect width="100%" height="100%" fill="#111217"/>\n${drawn.join('\n')}\n</svg>\n`;
}

function frame({ title, gridPos: { x, y, w, h } }, inside) {
  const [width, height] = [w * CELL - 8, h * 26 - 8];
  return `<g transform="translate(${x * CELL + 4},${y * 26 + 4})"><rect width="${width}" height="${height}" rx="3" fill="#181b1f" stroke="#2c3235"/><text x="8" y="17" fill="#d8d9da" font-weight="bold">${escape(title)}</text>${inside(width, height)}</g>`;
}

async function drawStat(panel, start, end) {
  const [series] = await query(panel.targets[0].expr, start, end);
  const value = Number(series?.values.at(-1)?.[1] ?? 0);
  const { steps } = panel.fieldConfig.defaults.thresholds;
  const colour = steps.findLast((step) => step.value === null || value >= step.value).color;
  const fill = { green: '#37872d', red: '#c4162a' }[colour];
  return frame(
    panel,
    (width, height) =>
      `<rect y="26" width="${width}" height="${height - 26}" rx="3" fill="${fill}"/><text x="${width / 2}" y="${height - 22}" fill="#fff" font-size="26" text-anchor="middle">${unit(value, panel.fieldConfig.defaults.unit)}</text>`,
  );
}

async function drawGraph(panel, start, end) {
  const lines = [];
  for (const { expr, legendFormat } of panel.targets)
    for (const { metric, values } of await query(expr, start, end))
      lines.push({
        name: legendFormat.replace(/\{\{(\w+)\}\}/g, (_, label) => metric[label] || '–'),
        points: values.filter(([, value]) => value !== 'NaN').map(([time, value]) => [time, Number(value)]),
      });
  const most = Math.max(1e-9, ...lines.flatMap(({ points }) => points.map(([, value]) => value)));
  return frame(panel, (width, height) => {
    const [left, right, top, bottom] = [58, width - 150, 30, height - 22];
    const at = ([time, value]) =>
      `${(left + ((time - start) / (end - start)) * (right - left)).toFixed(1)},${(bottom - (value / most) * (bottom - top)).toFixed(1)}`;
    const grid = [0, 0.5, 1]
      .map((share) => {
        const y = bottom - share * (bottom - top);
        return `<line x1="${left}" x2="${right}" y1="${y}" y2="${y}" stroke="#2c3235"/><text x="${left - 4}" y="${y + 4}" fill="#8e8e8e" text-anchor="end">${unit(share * most, panel.fieldConfig.defaults.unit)}</text>`;
      })
      .join('');
    const drawn = lines
      .map(({ name, points }, index) => {
        const colour = COLOURS[index % COLOURS.length];
        return `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.map(at).join(' ')}"/><text x="${right + 8}" y="${top + 8 + index * 15}" fill="${colour}">${escape(name)}</text>`;
      })
      .join('');
    return grid + drawn;
  });
}

function unit(value, name) {
  if (name === 'percentunit') return `${(value * 100).toFixed(2)} %`;
  if (name === 's')
    return value >= 1
      ? `${value.toFixed(1)} s`
      : value >= 0.001
        ? `${(value * 1e3).toFixed(1)} ms`
        : `${(value * 1e6).toFixed(0)} µs`;
  const suffix = { reqps: '/s', Bps: ' B/s', none: '' }[name] ?? '';
  return `${value >= 1000 ? `${(value / 1000).toFixed(1)}k` : value >= 10 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(2)}${suffix}`;
}

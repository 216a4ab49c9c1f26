import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { eventually } from '../eventually.js';
import { freePort } from '../free-port.js';
import { installRandomModel, runDemo } from '../integration/demo-process.js';
import { lastingFolder } from '../lasting-folder.js';

t.setTimeout(500_000);

const EXAMPLES = 'examples/monitoring';
const PROMETHEUS = '/usr/bin/prometheus';
const skip = existsSync(PROMETHEUS) ? false : 'prometheus is not installed';
const TOKEN = 'a-token-of-the-test';

/** Every figure with its labels. */
const FIGURES: Readonly<Record<string, readonly string[]>> = {
  build_info: ['version', 'node'],
  camera_up: ['camera'],
  camera_restarts_total: ['camera'],
  frames_total: ['camera', 'result'],
  inference_duration_seconds: ['variant'],
  label_age_seconds: ['camera'],
  label_present: ['camera', 'label'],
  events_total: ['camera', 'label', 'type'],
  temperature_celsius: [],
  governor_limit_celsius: [],
  governor_budget_ratio: [],
  governor_frame_ratio: ['variant'],
  governor_mode: ['mode'],
  throttled: ['reason'],
  mqtt_connected: [],
  mqtt_reconnects_total: [],
  outbox_messages: [],
  outbox_dropped_total: [],
  store_size_bytes: [],
  store_commit_duration_seconds: [],
  store_writable: [],
  http_viewers: [],
};

interface Target {
  readonly expr: string;
}
interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly Target[] }[];
}

const dashboard: Dashboard = JSON.parse(
  readFileSync(join(EXAMPLES, 'grafana-dashboard.json'), 'utf8'),
);

function promtool(args: readonly string[], input?: string): string {
  return execFileSync('promtool', [...args], { encoding: 'utf8', input, stdio: 'pipe' });
}

t.test('the example rules hold what they say', { skip }, async (t) => {
  t.match(promtool(['check', 'rules', join(EXAMPLES, 'rules.yml')]), /4 rules found/);
  t.match(promtool(['test', 'rules', join(EXAMPLES, 'rules.test.yml')]), /SUCCESS/);
});

t.test('a real Prometheus reads a real daemon, and every panel has data', { skip }, async (t) => {
  const folder = lastingFolder(t);
  const model = await installRandomModel(join(folder, 'state'));
  const token = join(folder, 'mobilenetd-token');
  writeFileSync(token, `${TOKEN}\n`);
  const demo = runDemo({
    folder: join(folder, 'state'),
    model,
    args: ['--board', 'pi4-case'],
    env: { MOBILENETD_STATUS_METRICS_TOKEN_FILE: token },
  });
  t.teardown(() => demo.end('SIGTERM'));
  const { page } = (await demo.ready) as unknown as { readonly page: string };

  const wrong = await fetch(`${page}metrics`, { headers: { Authorization: 'Bearer wrong' } });
  t.equal(wrong.status, 401);
  const right = await fetch(`${page}metrics`, { headers: { Authorization: `Bearer ${TOKEN}` } });
  const text = await right.text();
  promtool(['check', 'metrics'], text);
  for (const [name, labels] of Object.entries(FIGURES)) {
    t.match(text, `\n# TYPE mobilenetd_${name} `);
    const samples = [...text.matchAll(new RegExp(`^mobilenetd_${name}(?:\\{(.*)\\})? `, 'gm'))];
    for (const [, found = ''] of samples) {
      const keys = [...found.matchAll(/(\w+)="/g)].map(([, key]) => key);
      t.same(keys, labels, `${name}{${found}}`);
    }
  }
  t.match(text, /^process_cpu_seconds_total /m);
  t.match(text, /^nodejs_eventloop_lag_seconds /m);
  const state = await fetch(`${page}api/v1/state`, {
    headers: { Authorization: `Bearer ${TOKEN}` },
  });
  t.equal(state.status, 401, 'the token reads the figures and nothing else');

  const { ask, isUp } = await startPrometheus(t, folder, new URL(page).host);
  await isUp();
  for (const { title, targets } of dashboard.panels) {
    for (const { expr } of targets) {
      const query = expr
        .replaceAll('$__rate_interval', '30s')
        .replaceAll('"$instance"', '".*"')
        // Nobody looks at the page, nothing is hot: a zero is data as well.
        .replace(/ == 1$/, '');
      let found: readonly unknown[] = [];
      while (found.length === 0) {
        const answer = await ask(`query?query=${encodeURIComponent(query)}`);
        t.equal(answer.status, 'success', query);
        found = answer.data.result ?? [];
        if (found.length === 0) await delay(500);
      }
      t.ok(found.length > 0, `${title}: ${query}`);
    }
  }
  const health = async () => {
    const { data } = await ask('rules');
    return data.groups?.flatMap((group) => group.rules.map((rule) => rule.health)) ?? [];
  };
  // Each is unknown before its first turn.
  await eventually(async () => !(await health()).includes('unknown'));
  t.same(await health(), ['ok', 'ok', 'ok', 'ok'], 'every rule is evaluated');
});

interface PrometheusAnswer {
  readonly status: string;
  readonly data: {
    readonly result?: readonly unknown[];
    readonly groups?: readonly { readonly rules: readonly { readonly health: string }[] }[];
  };
}

/** Prometheus with the shipped files, but for the board's address and how often it looks. */
async function startPrometheus(t: Test, folder: string, target: string) {
  const config = readFileSync(join(EXAMPLES, 'prometheus.yml'), 'utf8')
    .replace('porch.local:8080', target)
    .replaceAll(': 15s', ': 1s');
  writeFileSync(join(folder, 'prometheus.yml'), config);
  writeFileSync(join(folder, 'rules.yml'), readFileSync(join(EXAMPLES, 'rules.yml')));
  promtool(['check', 'config', join(folder, 'prometheus.yml')]);
  const port = await freePort();
  const prometheus = spawn(
    PROMETHEUS,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  t.teardown(async () => {
    prometheus.kill('SIGTERM');
    if (prometheus.exitCode === null) await once(prometheus, 'exit');
  });
  const base = `http://127.0.0.1:${port}`;
  return {
    async isUp() {
      while (
        !(await fetch(`${base}/-/ready`).then(
          ({ ok }) => ok,
          () => false,
        ))
      ) {
        if (prometheus.exitCode !== null) throw new Error('prometheus has ended');
        await delay(200);
      }
    },
    ask: async (path: string): Promise<PrometheusAnswer> =>
      (await fetch(`${base}/api/v1/${path}`)).json() as Promise<PrometheusAnswer>,
  };
}

import t from 'tap';
import type { Config } from '#mobilenetd/config/config.js';
import { loadConfig } from '#mobilenetd/config/load.js';
import { describePlan, planReload } from '#mobilenetd/daemon/reload.js';

const BASE = {
  MOBILENETD_STATE: '/state',
  MOBILENETD_NODE: 'board',
  MOBILENETD_CAMERAS: '{"front":{"source":"demo"}}',
};

function config(env: NodeJS.ProcessEnv = {}): Config {
  return loadConfig({
    env: { ...BASE, ...env },
    systemFile: '/nonexistent/config.yaml',
    boardModel: null,
  }).config;
}

function plan(env: NodeJS.ProcessEnv) {
  const { kept, live } = planReload(config(), config(env));
  return { kept, live: [...live] };
}

t.test('each section touches its own parts', async (t) => {
  const nothing = { kept: [], live: [] };
  t.same(plan({}), nothing);
  const cases: readonly (readonly [NodeJS.ProcessEnv, object])[] = [
    [
      { MOBILENETD_CAMERAS: '{"front":{"source":"demo"},"b":{"source":"demo"}}' },
      { live: ['cameras'] },
    ],
    [{ MOBILENETD_PRESENCE_ENTER: '0.7' }, { live: ['cameras'] }],
    [{ MOBILENETD_GOVERNOR_MARGIN: '3' }, { live: ['governor'] }],
    [{ MOBILENETD_GOVERNOR_MIN_FPS: '2' }, { live: ['governor', 'cameras'] }],
    [{ MOBILENETD_HOMEASSISTANT_PREFIX: 'ha' }, { live: ['homeassistant'] }],
    [{ MOBILENETD_LOG_LEVEL: 'debug' }, { live: ['log'] }],
    [{ MOBILENETD_MODEL_TOP: '3' }, { live: ['network'] }],
    [{ MOBILENETD_STORE_COMMIT_INTERVAL: '3' }, { live: ['store'] }],
    [{ MOBILENETD_MQTT_URL: 'mqtt://192.0.2.1' }, { live: ['messaging'] }],
    [{ MOBILENETD_NODE: 'other' }, { live: ['messaging'] }],
    [{ MOBILENETD_MODELS_DIR: '/models' }, { live: ['network'] }],
    [{ MOBILENETD_STATE: '/elsewhere' }, { kept: ['state_dir'] }],
    [{ MOBILENETD_CONTROL_ENABLED: 'false' }, { kept: ['control'] }],
    [{ MOBILENETD_DIAGNOSTICS_HEAP_SNAPSHOTS: 'true' }, { kept: ['diagnostics'] }],
    [{ MOBILENETD_LOG_FORMAT: 'json' }, { kept: ['log.format'] }],
    [{ MOBILENETD_BOARD: 'none' }, {}],
  ];
  for (const [env, expected] of cases) {
    t.same(plan(env), { ...nothing, ...expected }, JSON.stringify(env));
  }
});

t.test('what a new process alone can take stays as it was, and is named', async (t) => {
  const result = planReload(
    config(),
    config({
      MOBILENETD_STATE: '/elsewhere',
      MOBILENETD_LOG_FORMAT: 'json',
      MOBILENETD_LOG_LEVEL: 'debug',
    }),
  );
  t.equal(result.config.state_dir, '/state');
  t.equal(result.config.models_dir, '/state/models');
  t.same(result.config.log, { level: 'debug', format: 'auto' });
  t.equal(
    describePlan(result),
    'changed: log (the rest ran on); needs a restart of the program to take effect: state_dir, log.format (sudo systemctl restart mobilenetd)',
  );
  t.equal(describePlan(planReload(config(), config())), 'nothing has changed');
  const all = planReload(config(), config({ MOBILENETD_NODE: 'other' }));
  t.equal(describePlan(all), 'changed: node (the rest ran on)');
});

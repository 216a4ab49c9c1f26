import t from 'tap';
import type { Config } from '#mobilenetd/config/config.js';
import { loadConfig } from '#mobilenetd/config/load.js';
import { describePlan, partsTouchedBy, planReload } from '#mobilenetd/daemon/reload.js';

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

/** What a change of the governor, the model and the broker touches besides. */
const GOVERNED = ['overrides', 'commands', 'Home Assistant', 'info', 'decisions'];
const MODEL_PARTS = ['cameras', 'governor', 'profiling', 'overrides'];
const MODELLED = ['wantedLabels', ...MODEL_PARTS, 'label check', ...GOVERNED.slice(1)];
const MESSAGE_PARTS = ['messaging', 'label states', 'daily counts', 'cameras'];
const MESSAGED = [
  ...MESSAGE_PARTS,
  ...['commands', 'Home Assistant', 'former name', 'update', 'info'],
  ...['decisions', 'health', 'availability'],
];

/** The second network comes before what is set at run time. */
function withSecond(parts: readonly string[]): readonly string[] {
  const at = parts.indexOf('overrides');
  return [...parts.slice(0, at), 'secondNetwork', ...parts.slice(at)];
}

function plan(env: NodeJS.ProcessEnv) {
  const { kept, config: next } = planReload(config(), config(env));
  const touched = partsTouchedBy(config(), next);
  return { kept, touched: [...touched].map(({ name }) => name) };
}

t.test('each section touches its own parts', async (t) => {
  const nothing = { kept: [], touched: [] };
  t.same(plan({}), nothing);
  const cases: readonly (readonly [NodeJS.ProcessEnv, object])[] = [
    [
      { MOBILENETD_CAMERAS: '{"front":{"source":"demo"},"b":{"source":"demo"}}' },
      {
        touched: [
          ...['store', 'taught', 'wantedLabels', 'cameras'],
          ...['false alarms', 'label check', 'info'],
        ],
      },
    ],
    [
      { MOBILENETD_TEACH_ENABLED: 'false' },
      { touched: ['taught', 'wantedLabels', 'cameras', 'label check', 'info'] },
    ],
    [
      { MOBILENETD_PRESENCE_ENTER: '0.7' },
      { touched: ['store', 'cameras', 'false alarms', 'label check', 'info'] },
    ],
    [{ MOBILENETD_GOVERNOR_MARGIN: '3' }, { touched: ['governor', ...GOVERNED] }],
    [{ MOBILENETD_GOVERNOR_MIN_FPS: '2' }, { touched: ['cameras', 'governor', ...GOVERNED] }],
    [
      { MOBILENETD_HOMEASSISTANT_LABELS: '["cat"]' },
      { touched: ['label check', 'Home Assistant', 'info'] },
    ],
    [
      { MOBILENETD_HOMEASSISTANT_PREFIX: 'ha' },
      { touched: ['Home Assistant', 'former name', 'info'] },
    ],
    [
      { MOBILENETD_NOTIFY: '{"r":{"to":{"command":{"run":["/bin/true"]}}}}' },
      { touched: ['wantedLabels', 'notifications', 'Home Assistant', 'info'] },
    ],
    [{ MOBILENETD_LOG_LEVEL: 'debug' }, { touched: ['info'] }],
    [
      { MOBILENETD_MODEL_TOP: '3' },
      {
        touched: [
          ...['store', 'model', 'engine', 'taught', 'wantedLabels', 'line', ...MODEL_PARTS],
          ...['false alarms', 'label check', ...GOVERNED.slice(1)],
        ],
      },
    ],
    [
      { MOBILENETD_MODELS_DIR: '/models' },
      { touched: ['model', 'secondModel', 'engine', 'taught', ...withSecond(MODELLED)] },
    ],
    [
      { MOBILENETD_MODEL_SECOND_MIN_SIZE: '9' },
      { touched: ['secondModel', 'secondNetwork', 'info'] },
    ],
    [{ MOBILENETD_STORE_COMMIT_INTERVAL: '3' }, { touched: ['store', 'false alarms', 'info'] }],
    [{ MOBILENETD_MQTT_URL: 'mqtt://192.0.2.1' }, { touched: MESSAGED }],
    [
      { MOBILENETD_MQTT_MAX_AGE: '60' },
      {
        touched: [
          ...['store', ...MESSAGE_PARTS, 'false alarms'],
          ...MESSAGED.slice(MESSAGE_PARTS.length),
        ],
      },
    ],
    [{ MOBILENETD_NODE: 'other' }, { touched: MESSAGED }],
    [{ MOBILENETD_STATE: '/elsewhere' }, { kept: ['state_dir'] }],
    [{ MOBILENETD_CONTROL_ENABLED: 'false' }, { kept: ['control'] }],
    [{ MOBILENETD_DIAGNOSTICS_HEAP_SNAPSHOTS: 'true' }, { kept: ['diagnostics'] }],
    [{ MOBILENETD_LOG_FORMAT: 'json' }, { kept: ['log.format'] }],
    [{ MOBILENETD_BOARD: 'none' }, { touched: ['info'] }],
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

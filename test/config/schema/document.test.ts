import { readFileSync } from 'node:fs';
import t from 'tap';
import { loadConfig } from '#mobilenetd/config/load.js';
import {
  defaultYaml,
  editorSchema,
  referenceMarkdown,
} from '#mobilenetd/config/schema/document.js';
import { KNOWN_KEYS } from '#mobilenetd/config/schema/keys.js';
import { nearestOf } from '#mobilenetd/nearest.js';

const HINT = 'run `npm run build && node scripts/write-default-config.mjs`';

t.test('config/default.yaml is what the schema says', async (t) => {
  t.equal(readFileSync('config/default.yaml', 'utf8'), defaultYaml(), HINT);
});

t.test('docs/schema/config.json is what the schema says', async (t) => {
  t.equal(readFileSync('docs/schema/config.json', 'utf8'), editorSchema(), HINT);
});

t.test('docs/configure.md has every key', async (t) => {
  t.ok(readFileSync('docs/configure.md', 'utf8').includes(referenceMarkdown()), HINT);
});

t.test('config/default.yaml changes nothing, and names every variable', async (t) => {
  const options = { env: {}, systemFile: '/nowhere/c.yaml' };
  const shipped = loadConfig({ ...options, files: ['config/default.yaml'] });
  t.same(shipped.config, loadConfig(options).config);
  const text = defaultYaml();
  for (const { env, dotted } of KNOWN_KEYS) {
    if (dotted.startsWith('camera_defaults.')) continue;
    t.ok(text.includes(env), env);
    t.match(shipped.origins.get(dotted), /^(config\/default\.yaml:\d+|default)$/);
  }
});

t.test('the nearest name is found', async (t) => {
  const names = ['enter', 'stay', 'off_delay', 'min_frames'];
  t.equal(nearestOf('entre', names), 'enter');
  t.equal(nearestOf('offdelay', names), 'off_delay');
  t.equal(nearestOf('STAY', names), 'stay');
  t.equal(nearestOf('minframe', names), 'min_frames');
  t.equal(nearestOf('colour', names), null);
  t.equal(nearestOf('', names), null);
  t.equal(nearestOf('x'.repeat(100_000), names), null);
});

t.test('the reference lists every key, also those below names of the user', async (t) => {
  const text = referenceMarkdown();
  for (const { dotted } of KNOWN_KEYS) {
    if (!/^cameras$|^camera_defaults\./.test(dotted))
      t.ok(text.includes(`| \`${dotted}\` |`), dotted);
  }
  for (const below of [
    'presence.labels.<name>.off_delay',
    'presence.groups.<name>',
    'mqtt.embedded.users.<name>',
    'controls.roi',
    'motion.refresh',
  ]) {
    t.ok(text.includes(`| \`${below}\` |`), below);
  }
});

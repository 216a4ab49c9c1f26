import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { isConfigError } from '#mobilenetd/config/check/problem.js';
import { redactConfig, secretsOf } from '#mobilenetd/config/check/secrets.js';
import { loadConfig } from '#mobilenetd/config/load.js';

function load(t: Test, files: Readonly<Record<string, string>>) {
  const folder = t.testdir();
  mkdirSync(join(folder, 'conf.d'));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  }
  return loadConfig({ env: {}, files: [join(folder, 'c.yaml')], systemFile: '/none' });
}

function problemsOf(t: Test, rules: string): readonly string[] {
  const cameras = 'cameras: { front: { source: demo }, back: { source: demo } }';
  try {
    load(t, { 'c.yaml': `${cameras}\nnotify:\n${rules}` });
    return [];
  } catch (error) {
    if (!isConfigError(error)) throw error;
    return error.problems.map(
      ({ where, key, message }) => `${where.split(':')[1]} ${key}: ${message}`,
    );
  }
}

t.test('rules by name, or a list of them, also in several files', async (t) => {
  const rule = 'to: { command: { run: [/bin/true] } }';
  const { config, origins } = load(t, {
    'c.yaml': `notify:\n  - name: night\n    cooldown: 5\n    ${rule}\n  - { ${rule} }\n`,
    'conf.d/1.yaml': `notify:\n  - ${rule}\n`,
    'conf.d/2.yaml': 'notify: { night: { cooldown: 7 } }',
  });
  t.same(Object.keys(config.notify), ['night', 'rule_1', 'rule_2']);
  t.equal(config.notify.night?.cooldown, 7, 'later files change a rule by its name');
  t.match(origins.get('notify.rule_1.to.command.run'), /c\.yaml:5$/);
});

const TOLD: Readonly<Record<string, readonly [rules: string, problem: RegExp]>> = {
  'a camera that is not there': [
    '  r: { when: { camera: frnt }, to: { homeassistant: { enabled: true } } }',
    /^3 notify\.r\.when\.camera: there is no camera frnt; did you mean front\?$/,
  ],
  'a zone that is not there': [
    '  r: { when: { zone: porch }, to: { homeassistant: { enabled: true } } }',
    /notify\.r\.when\.zone: none of its cameras has a zone porch; there is none at all/,
  ],
  'a field that does not exist': [
    '  r: { title: "{{lable}}", to: { homeassistant: { enabled: true } } }',
    /notify\.r\.title: "\{\{lable\}\}" is no field; did you mean label\?; the fields are rule, /,
  ],
  'a field in an argument': [
    '  r: { to: { command: { run: [/bin/true, "{{camra}}"] } } }',
    /notify\.r\.to\.command\.run: "\{\{camra\}\}" is no field; did you mean camera\?/,
  ],
  'JSON that is none': [
    '  r: { to: { webhook: { url: "http://x", template: "{\\"score\\": {{score}}, }" } } }',
    /notify\.r\.to\.webhook\.template: begins as an object of JSON, and is none/,
  ],
  'a rule without a channel': [
    '  r: { when: { label: cat } }',
    /notify\.r\.to: expected at least one/,
  ],
  'a list whose rule has a slip': [
    '  - { too: {} }',
    /^3 notify\.rule_1\.too: unknown key; did you mean notify\.rule_1\.to\?/,
  ],
  'two rules of a name': [
    '  - { name: a, to: { homeassistant: { enabled: true } } }\n  - { name: a, to: { homeassistant: { enabled: true } } }',
    /^4 notify\.a: two rules have this name/,
  ],
  'the sun without a place': [
    '  r: { when: { schedule: [sunset - sunrise] }, to: { homeassistant: { enabled: true } } }',
    /sunrise and sunset need location/,
  ],
  'half of Telegram': [
    '  r: { to: { telegram: { chat_id: 5 } } }',
    /token: needs token or token_file/,
  ],
  'a token twice': [
    '  r: { to: { telegram: { chat_id: 5, token: "1:a", token_file: /x } } }',
    /token_file: it is given twice, also by notify\.r\.to\.telegram\.token/,
  ],
  'a file that is not there': [
    '  r: { to: { ntfy: { topic_file: /nowhere/topic } } }',
    /notify\.r\.to\.ntfy\.topic_file: \/nowhere\/topic: cannot be read \(ENOENT\)/,
  ],
  'a program that is a template': [
    '  r: { to: { command: { run: ["{{label}}"] } } }',
    /expected a program first/,
  ],
};

for (const [what, [rules, problem]] of Object.entries(TOLD)) {
  t.test(`${what} is told`, async (t) => {
    const problems = problemsOf(t, rules);
    t.ok(
      problems.some((line) => problem.test(line)),
      problems.join('\n'),
    );
  });
}

t.test('secrets come from files, and are never shown', async (t) => {
  const { config } = load(t, {
    'c.yaml': `notify:
  r:
    to:
      webhook: { url: "https://hooks.example/T0/quite-secret-1", header_files: { X-Key: key } }
      ntfy: { topic: !secret topic, token_file: token }
      telegram: { chat_id: 1, token: "123:quite-secret-5" }
`,
    'secrets.yaml': 'topic: quite-secret-2\n',
    token: 'quite-secret-3\n',
    key: 'quite-secret-4\n',
  });
  const to = config.notify.r?.to;
  t.equal(to?.ntfy.token, 'quite-secret-3');
  t.equal(to?.webhook.headers['X-Key'], 'quite-secret-4');
  t.notMatch(JSON.stringify(redactConfig(config)), /quite-secret/);
  const secrets = secretsOf(config);
  for (const number of [1, 2, 3, 4, 5]) {
    t.ok(
      secrets.some((secret) => secret.includes(`quite-secret-${number}`)),
      `${number}`,
    );
  }
});

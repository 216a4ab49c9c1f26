// Writes the daemon's configuration from the add-on's options and from what the Supervisor offers, and prints
// the arguments for the daemon, one a line. usage: node prepare.mjs OPTIONS FOLDER CONFIGS
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { settingsOf } from './settings.mjs';

const SUPERVISOR = process.env.SUPERVISOR_URL ?? 'http://supervisor';
const ANSWER_MS = 10_000;

const [optionsFile, folder, configs] = process.argv.slice(2);
const options = JSON.parse(readFileSync(optionsFile, 'utf8'));
const { config, passwords } = settingsOf(options, await brokerOfHomeAssistant(), folder);
mkdirSync(folder, { recursive: true, mode: 0o700 });
for (const [name, text] of Object.entries({
  ...passwords,
  // JSON is YAML as well.
  'config.yaml': JSON.stringify(config, null, 2),
})) {
  writeFileSync(join(folder, name), `${text}\n`, { mode: 0o600 });
  chmodSync(join(folder, name), 0o600);
}
const files = [join(folder, 'config.yaml')];
const own = options.config_file ?? '';
if (own !== '') {
  const file = join(configs, basename(own));
  if (!existsSync(file)) {
    say(
      `config_file: ${own} is not in the add-on's configuration folder; put it there, or leave the option empty`,
    );
    process.exit(78);
  }
  files.push(file);
}
process.stdout.write(files.map((file) => `--config=${file}\n`).join(''));

/** What Home Assistant's broker is reached by; null when it offers none, which is said. */
async function brokerOfHomeAssistant() {
  const token = process.env.SUPERVISOR_TOKEN ?? '';
  if (token === '') return null;
  try {
    const answer = await fetch(`${SUPERVISOR}/services/mqtt`, {
      headers: { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const { data, message } = await answer.json();
    if (answer.ok && typeof data?.host === 'string' && Number.isInteger(data.port)) return data;
    say(
      `Home Assistant offers no MQTT broker (${message ?? answer.status}); one is looked for in the network`,
    );
  } catch (error) {
    say(
      `the Supervisor does not answer (${error.cause?.message ?? error.message}); a broker is looked for in the network`,
    );
  }
  return null;
}

function say(text) {
  process.stderr.write(`mobilenetd add-on: ${text}\n`);
}

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

export const MAIN = 'dist/cli/main.js';
/** What a fresh installation runs, and the rung of it that is measured. */
export const FAMILY = 'ssdlite_mobilenet_v2_coco';
export const MODEL = `${FAMILY}_300`;
/** Its smallest rung: what the network takes varies by more than the page may. */
export const SMALLEST = `${FAMILY}_140`;
export const PROFILE = 'profile.json';
const STAMP = 'prepared.txt';
/** Rooms that make of a catalogue's file what is run and measured. */
const ROOMS = ['convert', 'families', 'inference', 'models', 'profile'];

/**
 * Installs and measures the network in a state folder, unless that has been done with this program on this
 * board: a daemon measures its forms in its first quiet minute, which would count as the page's.
 *
 * @param config file of a configuration whose state folder it is
 */
export function prepare(state, config) {
  const wanted = stampOf();
  const stamp = join(state, STAMP);
  const found = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  if (found === `${wanted} ${profileOf(state)}`) return;
  for (const name of [STAMP, PROFILE, 'models']) {
    rmSync(join(state, name), { recursive: true, force: true });
  }
  for (const [command, name] of [
    ['pull', FAMILY],
    ['bench', MODEL],
    ['bench', SMALLEST],
  ]) {
    execFileSync(process.execPath, [MAIN, 'models', command, name, '--config', config], {
      env: { ...process.env, MOBILENETD_STATE: state },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  // The last thing that is written: what was interrupted is done again.
  writeFileSync(stamp, `${wanted} ${profileOf(state)}`);
}

/** What installed and measured networks depend on. */
function stampOf() {
  const hash = createHash('sha256');
  const runtime = JSON.parse(readFileSync('node_modules/onnxruntime-node/package.json', 'utf8'));
  hash.update([MODEL, SMALLEST, runtime.version, process.version, cpus()[0]?.model].join('\n'));
  const files = ROOMS.flatMap((room) =>
    readdirSync(`dist/${room}`, { recursive: true })
      .filter((name) => name.endsWith('.js'))
      .sort()
      .map((name) => `dist/${room}/${name}`),
  );
  for (const file of ['models/catalog.json', ...files]) {
    hash.update(`\n${file}\n`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

function profileOf(state) {
  const file = join(state, PROFILE);
  if (!existsSync(file)) return 'none';
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

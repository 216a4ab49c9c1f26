// Time and memory of pulling and converting one V1 model from the mirror, all forms.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, mirror, modelFile, packageRoot, print, skip } from './common.js';

const NAME = 'mobilenet_v1_0.75_192_quant';
const TIMES = 3;

export function install() {
  if (modelFile(NAME) === null) return skip('install', `${NAME} is not in the mirror`);
  const seconds = [];
  const megabytes = [];
  const cpuSeconds = [];
  for (let at = 0; at < TIMES; at += 1) {
    const state = mkdtempSync(join(tmpdir(), 'mobilenetd-install-'));
    const env = { ...process.env, MOBILENETD_STATE: state, MOBILENETD_MODELS_MIRROR: mirror };
    const command = [
      process.execPath,
      join(packageRoot, 'dist/cli/main.js'),
      'models',
      'pull',
      NAME,
    ];
    const started = performance.now();
    if (hasTime()) {
      // The most that any of the processes had, as `time` reports it in KiB, and the processor time of all.
      const { stderr, status } = spawnSync('time', ['-f', '%M %U %S', ...command], {
        env,
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(stderr);
      const [kibibytes, user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
      megabytes.push((kibibytes * 1024) / 1e6);
      cpuSeconds.push(user + system);
    } else execFileSync(command[0], command.slice(1), { env });
    seconds.push((performance.now() - started) / 1000);
    rmSync(state, { recursive: true });
  }
  print(
    `seconds to install ${NAME}`,
    median(seconds),
    { most: 3 },
    { cpuSeconds: median(cpuSeconds) },
  );
  if (megabytes.length === 0) skip('megabytes of the largest process', 'no program named time');
  else print('megabytes of the largest process', Math.max(...megabytes), { most: 300 });
}

function hasTime() {
  return spawnSync('time', ['-f', '%M %U %S', 'true']).status === 0;
}

// TensorFlow Lite's C library (2.9), as the npm package tfjs-tflite-node ships it. The tarball is
// fetched into .cache and never installed; a small C program runs it.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { extract } from 'tar';

const PACKAGE = 'tfjs-tflite-node@0.0.2';
const INTEGRITY =
  'sha512-Zed9biOz9lkWsekvPwdEmxXnsjXJnZO8iOV0s2Y20QU15cwiPedzFEBYiGbK7smYpkJpQNNY9SukoKmUi9bk9w==';
const FOLDERS = { x64: 'linux_amd64', arm64: 'linux_arm64' };

const cache = fileURLToPath(new URL('../../.cache/tflite-c', import.meta.url));

/** The program and the library, or why they cannot be had here. */
export async function prepareTfliteC() {
  const folder = process.platform === 'linux' ? FOLDERS[process.arch] : undefined;
  if (folder === undefined) return { skip: `no library for ${process.platform}-${process.arch}` };
  mkdirSync(cache, { recursive: true });
  const library = join(cache, 'libtensorflowlite_c.so');
  try {
    if (!existsSync(library)) await fetchLibrary(folder);
  } catch (error) {
    return { skip: `${PACKAGE} cannot be fetched: ${error.message.split('\n')[0]}` };
  }
  const program = join(cache, 'tflite-c');
  const source = fileURLToPath(new URL('./tflite-c.c', import.meta.url));
  try {
    execFileSync('cc', ['-O2', '-std=c11', '-o', program, source, '-ldl'], { stdio: 'pipe' });
  } catch (error) {
    return { skip: `no C compiler that works: ${error.message.split('\n')[0]}` };
  }
  return { skip: null, library, program };
}

async function fetchLibrary(folder) {
  const npm = ['pack', PACKAGE, '--ignore-scripts', '--json', '--pack-destination', cache];
  const output = execFileSync('npm', npm, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const tarball = join(cache, JSON.parse(output)[0].filename);
  const found = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
  if (found !== INTEGRITY) throw new Error(`its checksum is ${found}`);
  const members = ['libtensorflowlite_c.so', 'libexternal_delegate_obj.so'];
  const wanted = members.map((name) => `package/cc_deps/${folder}/${name}`);
  await extract({ file: tarball, cwd: cache, strip: 3, filter: (path) => wanted.includes(path) });
  rmSync(tarball);
}

/** A model in a process of its own; `turn(runs)` gives the processor milliseconds of one run. */
export async function openTfliteC({ library, program }, tflite, picture) {
  const model = join(cache, `${process.pid}.tflite`);
  const input = join(cache, `${process.pid}.picture`);
  writeFileSync(model, tflite);
  writeFileSync(input, picture);
  const child = spawn(program, [library, model, input], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, LD_LIBRARY_PATH: cache },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async turn(runs) {
      child.stdin.write(`${runs}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error('the TensorFlow Lite process ended');
      return Number(value) / 1000;
    },
    close() {
      child.stdin.end();
      rmSync(model);
      rmSync(input);
    },
  };
}

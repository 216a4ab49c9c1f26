#!/usr/bin/env node
// Copies assembly/resize.wasm to dist/vision/, where the engine reads it.
//
// The compiled file is in the repository: its compiler takes 100 MB of node_modules. --compile makes it anew
// from assembly/resize.ts (npm fetches the compiler); --check compiles and compares.
// usage: scripts/build-kernel.mjs [--compile | --check]
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const COMPILER = 'assemblyscript@0.28.20';
const SOURCE = 'assembly/resize.ts';
const COMPILED = 'assembly/resize.wasm';
/** Which source and compiler the compiled file is of; test/vision/resize-kernel.test.ts holds it. */
const RECORD = 'assembly/resize.json';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const [flag] = process.argv.slice(2);
if (flag === '--check') check();
else if (flag === '--compile') record(compile());
mkdirSync('dist/vision', { recursive: true });
const BUILT = 'dist/vision/resize.wasm';
// A daemon that runs from here may be reading it.
if (!existsSync(BUILT) || !readFileSync(BUILT).equals(readFileSync(COMPILED))) {
  copyFileSync(COMPILED, BUILT);
}

function compile() {
  const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-kernel-'));
  try {
    const output = join(folder, 'resize.wasm');
    const npm = ['exec', '--yes', '--silent', `--package=${COMPILER}`, '--', 'asc', SOURCE];
    // No allocator: the caller lays out the memory, from address 0.
    const memory = ['--runtime', 'stub', '--importMemory', '--memoryBase', '0'];
    const flags = ['--outFile', output, '-O3', '--noAssert', ...memory, '--enable', 'simd'];
    execFileSync('npm', [...npm, ...flags], { stdio: ['ignore', 'inherit', 'inherit'] });
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function record(wasm) {
  writeFileSync(COMPILED, wasm);
  const sums = { source: sumOf(readFileSync(SOURCE)), wasm: sumOf(wasm) };
  writeFileSync(RECORD, `${JSON.stringify({ compiler: COMPILER, ...sums }, null, 2)}\n`);
}

function check() {
  if (compile().equals(readFileSync(COMPILED))) return;
  process.stderr.write(`${COMPILED} is not what ${COMPILER} makes of ${SOURCE}: run --compile\n`);
  process.exitCode = 1;
}

function sumOf(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

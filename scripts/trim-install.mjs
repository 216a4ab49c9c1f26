#!/usr/bin/env node
// Removes what `npm ci` brought for other platforms and other uses. It is the postinstall script of scripts/cpu-only,
// which npm runs after those of all other packages and without a word on the terminal.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Removes the files at any depth of a folder of node_modules that are not wanted. */
function keepFiles(folder, wanted) {
  const path = fileURLToPath(new URL(`../node_modules/${folder}/`, import.meta.url));
  if (!existsSync(path)) return;
  for (const name of readdirSync(path, { recursive: true })) {
    if (/\.[a-z]+$/.test(name) && !wanted(name)) rmSync(`${path}${name}`, { recursive: true });
  }
}

/** Removes what is in a folder of node_modules and not wanted. */
function keepOnly(folder, wanted) {
  const path = fileURLToPath(new URL(`../node_modules/${folder}/`, import.meta.url));
  if (!existsSync(path)) return;
  for (const name of readdirSync(path)) {
    if (!wanted(name)) rmSync(`${path}${name}`, { recursive: true });
  }
}

// The libraries of every platform (290 MB); Linux's stay: the package for arm64 boards is built on a PC.
keepOnly('onnxruntime-node/bin/napi-v6', (name) => name === 'linux' || name === process.platform);
// Four builds of one runtime (38 MB); tests run the one that needs nothing of the browser.
keepOnly('@litertjs/core/wasm', (name) => name.startsWith('litert_wasm_compat'));
// What was compiled stays, its objects go (15 MB).
keepOnly('better-sqlite3/build', (name) => name === 'Release');
keepOnly('better-sqlite3/build/Release', (name) => name === 'better_sqlite3.node');
// Two more TypeScript compilers (50 MB), for TypeScript inside tap's plugins; ours compiles before tap runs.
keepOnly('tshy/node_modules', (name) => name !== 'typescript');
keepOnly('@typescript', (name) => !name.startsWith('native-preview-'));
// A second protobuf.js's command line with modules of its own (20 MB).
keepOnly('onnx-proto/node_modules/protobufjs', (name) => name !== 'cli');
// Six builds of TensorFlow.js with their source maps and tests (100 MB); tests run the one for Node.
for (const part of ['core', 'backend-cpu', 'converter', 'layers']) {
  keepFiles(`@tensorflow/tfjs-${part}/dist`, (name) => /\.(node\.js|d\.ts)$/.test(name));
}

#!/usr/bin/env node
// Removes what `npm ci` brought for other platforms and other uses: onnxruntime-node packs the libraries of every
// platform (290 MB; Linux's stay, since the package for arm64 boards is built on a PC), LiteRT.js four builds of one
// runtime (38 MB; tests run the one that needs nothing of the browser).
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Removes what is in a folder of node_modules and not wanted. */
function keepOnly(folder, wanted) {
  const path = fileURLToPath(new URL(`../node_modules/${folder}/`, import.meta.url));
  if (!existsSync(path)) return;
  for (const name of readdirSync(path)) {
    if (!wanted(name)) rmSync(`${path}${name}`, { recursive: true });
  }
}

keepOnly('onnxruntime-node/bin/napi-v6', (name) => name === 'linux' || name === process.platform);
keepOnly('@litertjs/core/wasm', (name) => name.startsWith('litert_wasm_compat'));

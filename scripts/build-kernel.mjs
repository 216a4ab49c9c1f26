#!/usr/bin/env node
// Compiles assembly/resize.ts to dist/vision/resize.wasm; does nothing when that is newer.
// usage: scripts/build-kernel.mjs [--force]
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('..', import.meta.url);
const source = 'assembly/resize.ts';
const output = 'dist/vision/resize.wasm';

const timeOf = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

process.chdir(fileURLToPath(root));
const inputs = [source, fileURLToPath(import.meta.url)];
const built = timeOf(output);
if (process.argv.includes('--force') || inputs.some((file) => timeOf(file) >= built)) {
  const { default: asc } = await import('assemblyscript/asc');
  const { error, stderr } = await asc.main([
    source,
    ...['--outFile', output],
    '-O3',
    '--noAssert',
    // No allocator: the caller lays out the memory, from address 0.
    ...['--runtime', 'stub', '--importMemory', '--memoryBase', '0'],
    ...['--enable', 'simd'],
  ]);
  if (error !== null) {
    process.stderr.write(`${stderr.toString()}${error.message}\n`);
    process.exitCode = 1;
  }
}

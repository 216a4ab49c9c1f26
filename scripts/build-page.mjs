#!/usr/bin/env node
// Bundles the page of web/ into dist/web/: one script, one style sheet, both named by their content.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const OUT = 'dist/web';

const { metafile, outputFiles } = await build({
  entryPoints: ['web/main.tsx', 'web/main.css'],
  outdir: OUT,
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2022', 'chrome109', 'firefox115', 'safari16.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  // Its output names files by their path below this folder, wherever node_modules is kept.
  preserveSymlinks: true,
  metafile: true,
  write: false,
  logLevel: 'warning',
});
let html = readFileSync('web/index.html', 'utf8');
for (const [path, { entryPoint }] of Object.entries(metafile.outputs)) {
  if (entryPoint === undefined) continue;
  const plain = basename(entryPoint).replace(/\.tsx$/, '.js');
  html = html.replace(`"${plain}"`, `"${basename(path)}"`);
}
const files = new Map(
  outputFiles.map(({ path, contents }) => [basename(path), Buffer.from(contents)]),
);
files.set('index.html', Buffer.from(html));
files.set('icon.svg', readFileSync('web/icon.svg'));

// A daemon that runs from here may be reading them.
if (!isBuilt()) {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  for (const [name, bytes] of files) writeFileSync(`${OUT}/${name}`, bytes);
}

function isBuilt() {
  if (!existsSync(OUT) || readdirSync(OUT).length !== files.size) return false;
  return [...files].every(([name, bytes]) => {
    const file = `${OUT}/${name}`;
    return existsSync(file) && readFileSync(file).equals(bytes);
  });
}

#!/usr/bin/env node
// Bundles the page of web/ into dist/web/: one script, one style sheet, both named by their content.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
let html = readFileSync('web/index.html', 'utf8');
for (const [path, { entryPoint }] of Object.entries(metafile.outputs)) {
  if (entryPoint === undefined) continue;
  const plain = basename(entryPoint).replace(/\.tsx$/, '.js');
  html = html.replace(`"${plain}"`, `"${basename(path)}"`);
}
for (const { path, contents } of outputFiles) writeFileSync(`${OUT}/${basename(path)}`, contents);
writeFileSync(`${OUT}/index.html`, html);
writeFileSync(`${OUT}/icon.svg`, readFileSync('web/icon.svg'));

#!/usr/bin/env node
// Writes config/default.yaml, the tables of docs/configure.md and the JSON Schema of editors
// (docs/schema/config.json) from the keys that src/config/schema declares, and the table of cameras in
// docs/cameras.md from what each kind says of itself. Run the build first.
import { readFileSync, writeFileSync } from 'node:fs';
import { kindsMarkdown } from '../dist/camera/registry.js';
import { defaultYaml, editorSchema, referenceMarkdown } from '../dist/config/schema/document.js';

const root = new URL('../', import.meta.url);
writeFileSync(new URL('config/default.yaml', root), defaultYaml());
writeFileSync(new URL('docs/schema/config.json', root), editorSchema());

replaceMarked('docs/configure.md', 'keys', referenceMarkdown());
replaceMarked('docs/cameras.md', 'kinds', kindsMarkdown());

/** Writes `text` between the two comments of a page that name it. */
function replaceMarked(path, name, text) {
  const page = new URL(path, root);
  const marked = new RegExp(`(<!-- ${name} -->\\n)[\\s\\S]*(<!-- end of ${name} -->)`);
  const before = readFileSync(page, 'utf8');
  writeFileSync(
    page,
    before.replace(marked, (_, begin, end) => `${begin}${text}${end}`),
  );
}

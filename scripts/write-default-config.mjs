#!/usr/bin/env node
// Writes config/default.yaml, the tables of docs/configure.md and the JSON Schema of editors
// (docs/schema/config.json) from the keys that src/config/schema declares. Run the build first.
import { readFileSync, writeFileSync } from 'node:fs';
import { defaultYaml, editorSchema, referenceMarkdown } from '../dist/config/schema/document.js';

const root = new URL('../', import.meta.url);
writeFileSync(new URL('config/default.yaml', root), defaultYaml());
writeFileSync(new URL('docs/schema/config.json', root), editorSchema());

const page = new URL('docs/configure.md', root);
const marked = /(<!-- keys -->\n)[\s\S]*(<!-- end of keys -->)/;
const text = readFileSync(page, 'utf8');
writeFileSync(
  page,
  text.replace(marked, (_, begin, end) => `${begin}${referenceMarkdown()}${end}`),
);

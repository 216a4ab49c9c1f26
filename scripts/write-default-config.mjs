#!/usr/bin/env node
// Writes config/default.yaml and the tables of docs/configure.md from the schema (run the build first).
import { readFileSync, writeFileSync } from 'node:fs';
import { defaultYaml, referenceMarkdown } from '../dist/config/schema/document.js';

const root = new URL('../', import.meta.url);
writeFileSync(new URL('config/default.yaml', root), defaultYaml());

const page = new URL('docs/configure.md', root);
const marked = /(<!-- keys -->\n)[\s\S]*(<!-- end of keys -->)/;
const text = readFileSync(page, 'utf8');
writeFileSync(
  page,
  text.replace(marked, (_, begin, end) => `${begin}${referenceMarkdown()}${end}`),
);

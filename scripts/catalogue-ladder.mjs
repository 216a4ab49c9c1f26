#!/usr/bin/env node
// Writes the rungs of the shipped ladder, models/things/, into models/catalog.json, after the last other
// entry, and its labels into models/labels/. What was there of the ladder is replaced.
// usage: scripts/catalogue-ladder.mjs [FOLDER=models/things]
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readLadder } from '../dist/models/install/ladder.js';

const [folder = 'models/things'] = process.argv.slice(2);
const catalogFile = 'models/catalog.json';
const catalog = JSON.parse(readFileSync(catalogFile, 'utf8'));
const rungs = await readLadder(folder, {});
const [{ description, labels }] = rungs;
const labelsFile = `${description.ladder}.txt`;
copyFileSync(labels, join('models', 'labels', labelsFile));

const entries = rungs.map(({ files, description: { ladder, ...rest } }) => {
  const sha256 = createHash('sha256').update(readFileSync(files.file)).digest('hex');
  const name = basename(files.file);
  return {
    ...rest,
    ladder,
    format: files.format,
    forms: ['symmetric', 'reduced'],
    source: {
      kind: 'file',
      path: `${basename(folder)}/${name}`,
      archive: 'none',
      sha256,
      members: [{ path: name, sha256 }],
    },
    labels: labelsFile,
    accuracySlim: null,
  };
});
const others = catalog.models.filter(({ ladder }) => ladder !== description.ladder);
writeFileSync(
  catalogFile,
  `${JSON.stringify({ ...catalog, models: [...others, ...entries] }, null, 2)}\n`,
);
process.stdout.write(`${entries.length} rungs of ${description.ladder} in ${catalogFile}\n`);

#!/usr/bin/env node
// Compiles the JSON schemas of files and requests that the program reads into dist/checks/: Ajv takes a tenth of a
// second of a PC for the one of installed networks, half a second of a small board, which every start would pay.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { build } from 'esbuild';
import { SCHEMA_DIALECT } from '../dist/built-check.js';
import { CATALOG_SCHEMA } from '../dist/models/catalog/catalog-schema.js';
import { PINS_SCHEMA } from '../dist/models/fetch/first-use.js';
import { INSTALLED_SCHEMA } from '../dist/models/install/installed-schema.js';
import { LADDER_SCHEMA } from '../dist/models/install/ladder.js';
import { REQUEST_SCHEMAS } from '../dist/mqtt/commands/requests.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = join(ROOT, 'dist/checks');

/** By the file's name; each of its schemas is a function that it exports. */
const CHECKS = {
  catalog: { check: CATALOG_SCHEMA },
  installed: { check: INSTALLED_SCHEMA },
  ladder: { check: LADDER_SCHEMA },
  pins: { check: PINS_SCHEMA },
  requests: REQUEST_SCHEMAS,
};

mkdirSync(OUT, { recursive: true });
const files = new Map();
for (const [name, schemas] of Object.entries(CHECKS))
  files.set(`${name}.cjs`, await compile(schemas));
for (const name of readdirSync(OUT)) if (!files.has(name)) rmSync(join(OUT, name));
for (const [name, text] of files) {
  const file = join(OUT, name);
  // A daemon that runs from here may be reading it.
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
}

/** One script of a function a schema, which needs no file beside it: not even Ajv's. */
async function compile(schemas) {
  const ajv = new Ajv({ ...SCHEMA_DIALECT, code: { source: true } });
  for (const [name, schema] of Object.entries(schemas)) ajv.addSchema(schema, name);
  const names = Object.keys(schemas).map((name) => [name, name]);
  const contents = standaloneCode(ajv, Object.fromEntries(names));
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: ROOT, sourcefile: 'check.cjs' },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20.9',
    minify: true,
    legalComments: 'none',
    write: false,
    logLevel: 'warning',
  });
  return outputFiles[0].text;
}

#!/usr/bin/env node
// Writes the commit that is built into dist/commit, for `mobilenetd --version` in packages.
import { writeFileSync } from 'node:fs';
import { commitOf } from '../dist/cli/commit.js';

const commit = commitOf();
if (commit !== null) writeFileSync(new URL('../dist/commit', import.meta.url), `${commit}\n`);

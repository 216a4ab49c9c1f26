import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Absolute path of the installed package, with a trailing slash. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../', import.meta.url));

/** Version of this program, from package.json. */
export const VERSION: string = JSON.parse(
  readFileSync(`${PACKAGE_ROOT}package.json`, 'utf8'),
).version;

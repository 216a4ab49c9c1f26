// The Node that the package brings along, for systems whose own is too old.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CARRIED_NODE, cached, nodePackage } from './cache.mjs';
import { placeOf, without } from './elf.mjs';
import { englishOf } from './icu-data.mjs';

/** Where it lies below the program's own folder. */
export const NODE = 'node/bin/node';

/** Counts changes of what is left out, which the cache would not see. */
const FORM = 1;

/**
 * Puts Node into the package, without its symbols and without ICU's data of other languages than English: 73 MB
 * instead of 123. Returns its file and the text of its license.
 */
export async function stageNode({ program, target }) {
  const source = await nodePackage(target.node, CARRIED_NODE);
  const small = await cached(`node-english/${target.node}-${CARRIED_NODE}-${FORM}`, (work) => {
    const file = join(work, 'node');
    cpSync(join(source, 'bin/node'), file);
    execFileSync(target.strip, ['--strip-unneeded', file]);
    writeFileSync(file, inEnglish(readFileSync(file)));
    chmodSync(file, 0o755);
  });
  const file = join(program, NODE);
  mkdirSync(dirname(file), { recursive: true });
  cpSync(join(small, 'node'), file);
  return { file, license: readFileSync(join(source, 'LICENSE'), 'utf8') };
}

/** Node's binary with what `--with-intl=small-icu` has of ICU's data; it is 33 MB with all. */
export function inEnglish(binary) {
  const { offset, bytes } = placeOf(binary, /^icudt\d+_dat$/);
  const data = englishOf(binary.subarray(offset, offset + bytes));
  const changed = Buffer.from(binary);
  data.copy(changed, offset);
  return without(changed, offset + data.length, offset + bytes);
}

/** The package's copyright file, with Node's license as its format wants it. */
export function withNodeLicense(copyright, license) {
  const lines = license.trimEnd().split('\n');
  const folded = lines.map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`));
  return `${copyright.trimEnd()}\n\nLicense: Node\n${folded.join('\n')}\n`;
}

// The Node that the package brings along, for systems whose own is too old.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CARRIED_NODE, cached, nodePackage } from './cache.mjs';

/** Where it lies below the program's own folder. */
export const NODE = 'node/bin/node';

/** Puts Node into the package, without its symbols. Returns its file and the text of its license. */
export async function stageNode({ program, target }) {
  const source = await nodePackage(target.node, CARRIED_NODE);
  const stripped = await cached(`node-stripped/${target.node}-${CARRIED_NODE}`, (work) => {
    const file = join(work, 'node');
    cpSync(join(source, 'bin/node'), file);
    execFileSync(target.strip, ['--strip-unneeded', file]);
  });
  const file = join(program, NODE);
  mkdirSync(dirname(file), { recursive: true });
  cpSync(join(stripped, 'node'), file);
  return { file, license: readFileSync(join(source, 'LICENSE'), 'utf8') };
}

/** The package's copyright file, with Node's license as its format wants it. */
export function withNodeLicense(copyright, license) {
  const lines = license.trimEnd().split('\n');
  const folded = lines.map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`));
  return `${copyright.trimEnd()}\n\nLicense: Node\n${folded.join('\n')}\n`;
}

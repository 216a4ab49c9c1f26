import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PACKAGE_ROOT, VERSION } from '../package-root.js';

/**
 * The commit this program was made from, shortened; null when it cannot be told. A package has it in
 * a file (scripts/write-commit.mjs), a checkout in `.git`, which a worktree has elsewhere.
 */
export function commitOf(root = PACKAGE_ROOT): string | null {
  const found = headOf(root) ?? read(join(root, 'dist/commit'));
  return found !== null && /^[0-9a-f]{7,64}$/.test(found) ? found.slice(0, 9) : null;
}

/** The version, with the commit where it can be told. */
export function versionText(): string {
  const commit = commitOf();
  return commit === null ? VERSION : `${VERSION} (${commit})`;
}

function headOf(root: string): string | null {
  const git = join(root, '.git');
  const elsewhere = /^gitdir: (.+)$/.exec(read(git) ?? '')?.[1];
  const folder = elsewhere === undefined ? git : resolve(root, elsewhere);
  const head = read(join(folder, 'HEAD'));
  const reference = /^ref: (.+)$/.exec(head ?? '')?.[1];
  if (reference === undefined) return head;
  const common = resolve(folder, read(join(folder, 'commondir')) ?? '.');
  const loose = read(join(folder, reference)) ?? read(join(common, reference));
  if (loose !== null) return loose;
  const packed = read(join(common, 'packed-refs')) ?? '';
  const line = packed.split('\n').find((entry) => entry.endsWith(` ${reference}`));
  return line?.split(' ')[0] ?? null;
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return null;
  }
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import t from 'tap';

/** `import { a, b as c } from './file.js'`, over several lines, and `import('./file.js')`. */
const STATIC = /^import\s+(?:\{([^}]*)\}\s+from\s+)?'(\.[^']*)'/gm;
const DYNAMIC = /(?:const\s+\{([^}]*)\}\s*=\s*await\s+)?\bimport\(\s*'(\.[^'$]*)'\s*\)/g;
const DIST = `${sep}dist${sep}`;

function programs(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.m?js$/.test(name))
    .map((name) => join(folder, name));
}

t.test('what benchmarks and scripts import is there', async (t) => {
  let names = 0;
  for (const file of [...programs('bench'), ...programs('scripts')]) {
    const text = readFileSync(file, 'utf8');
    for (const [, list = '', path = ''] of [...text.matchAll(STATIC), ...text.matchAll(DYNAMIC)]) {
      const target = resolve(dirname(file), path);
      t.ok(existsSync(target), `${file}: ${path}`);
      const wanted = list.split(',').map((name) => name.trim().split(/\s+as\s+|:/)[0] ?? '');
      if (!target.includes(DIST)) continue;
      for (const name of wanted.filter(Boolean)) {
        names += 1;
        const found: Record<string, unknown> = await import(target);
        t.ok(name in found, `${file}: ${name} of ${path}`);
      }
    }
  }
  t.ok(names > 20, `${names} names`);
});

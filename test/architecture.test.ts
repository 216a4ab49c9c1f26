import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCE = join(ROOT, 'src');
const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');

/** The folders in the order of the page's table. */
const rooms = page.slice(page.indexOf('## The rooms'), page.indexOf('### Beside the rooms'));
const ORDER = [...rooms.matchAll(/^\| `(\w+)\/` \|/gm)].map(([, folder]) => folder ?? '');
const rule = /folder's own contract file \(([^)]*)\)/.exec(page)?.[1] ?? '';
const CONTRACTS = [...rule.matchAll(/`([^`]+\.ts)`/g)].map(([, file]) => file);

const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);

/** The folder of a file under src/; null for a file beside the folders. */
function folderOf(file: string): string | null {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : null;
}

/** What a file imports or starts as a script, as paths under src/. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(SOURCE, file), 'utf8');
  const found = text.matchAll(/(?:from |import\(|new URL\()'(\.[^']+)\.js'/g);
  return [...found].map(([, path]) => {
    return relative(SOURCE, join(SOURCE, dirname(file), `${path}.ts`));
  });
}

t.test('the page lists every folder of the source, and no other', (t) => {
  const folders = readdirSync(SOURCE, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  t.same([...ORDER].sort(), folders.sort());
  for (const file of CONTRACTS) t.ok(files.includes(file ?? ''), file ?? '');
  t.ok(CONTRACTS.length > 0);
  t.end();
});

t.test('the page walks through files that there are, and a frame through at most twenty', (t) => {
  const walk = /## One frame[\s\S]*?(?=\n## )/.exec(page)?.[0] ?? '';
  const linksOf = (text: string) =>
    [...text.matchAll(/\]\(\.\.\/(src\/[^)]+)\)/g)].map(([, file]) => file);
  for (const file of linksOf(page)) t.ok(existsSync(join(ROOT, file ?? '')), file ?? '');
  const passed = new Set(linksOf(walk));
  t.ok(passed.size > 10 && passed.size <= 20, `${passed.size} files`);
  t.end();
});

t.test('arrows run downward in its list, or into a contract file', (t) => {
  let seen = 0;
  for (const file of files) {
    const from = folderOf(file);
    for (const target of importsOf(file)) {
      const to = folderOf(target);
      if (to === null || to === from || CONTRACTS.includes(target)) continue;
      seen += 1;
      const downward = from !== null && ORDER.indexOf(from) < ORDER.indexOf(to);
      if (!downward) t.fail(`${file} imports ${target}`);
    }
  }
  t.ok(seen > 100, `${seen} arrows`);
  t.end();
});

/** A folder inside a room, or a file beside such folders. */
function alcoveOf(file: string): string {
  return file.split('/').slice(0, 2).join('/');
}

t.test('arrows between the alcoves of a room, and between its files, run one way', (t) => {
  const arrows = new Map<string, Set<string>>();
  const add = (from: string, to: string) => {
    if (from !== to) arrows.set(from, (arrows.get(from) ?? new Set()).add(to));
  };
  for (const file of files) {
    for (const target of importsOf(file)) {
      if (!file.includes('/') || folderOf(file) !== folderOf(target)) continue;
      add(file, target);
      add(alcoveOf(file), alcoveOf(target));
    }
  }
  for (const start of arrows.keys()) t.notOk(reaches(arrows, start), `${start} is in a circle`);
  t.end();
});

t.test('tests stand where what they test stands', (t) => {
  const tests = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => file.slice(0, -'.test.ts'.length));
  const mirrored = tests.filter((test) => ORDER.includes(test.slice(0, test.indexOf('/'))));
  t.ok(mirrored.length > 150, `${mirrored.length} test files`);
  for (const test of mirrored) {
    const place = dirname(test);
    // The fuzzer has no file of its own in the source: it is all test.
    t.ok(place === 'convert/fuzz' || existsSync(join(SOURCE, place)), `src/${place} for ${test}`);
    if (files.includes(`${test}.ts`)) continue;
    const named = files.filter(
      (file) => file.startsWith(`${place}/`) && file.endsWith(`/${basename(test)}.ts`),
    );
    if (named.length === 1) t.fail(`test/${test}.test.ts tests src/${named[0]}`);
  }
  t.end();
});

/** Whether arrows lead from a place back to it. */
function reaches(arrows: ReadonlyMap<string, ReadonlySet<string>>, start: string): boolean {
  const seen = new Set<string>();
  const next = [...(arrows.get(start) ?? [])];
  for (let place = next.pop(); place !== undefined; place = next.pop()) {
    if (place === start) return true;
    if (seen.has(place)) continue;
    seen.add(place);
    next.push(...(arrows.get(place) ?? []));
  }
  return false;
}

t.test(
  'only the main script sets the exit status: what a command set would be overwritten',
  (t) => {
    const setting = files.filter(
      (file) =>
        file.startsWith('cli/') &&
        /process\.exitCode\s*=/.test(readFileSync(join(SOURCE, file), 'utf8')),
    );
    t.same(setting, ['cli/main.ts']);
    t.end();
  },
);

/** What reads the machine's time, or waits for it, other than through a clock that was given. */
const DIRECT_TIME =
  /\b(?:Date|performance)\.now\b|\bhrtime\b|(?<![.\w])set(?:Timeout|Interval)\(|new Date\(\)/;

/** `time.ts` is the clock; the service manager wants a moment of the kernel's own monotonic clock. */
const READS_TIME = ['time.ts', 'systemd/notify.ts'];

t.test('every room has its time from the one clock', (t) => {
  for (const file of files) {
    const lines = readFileSync(join(SOURCE, file), 'utf8').split('\n');
    const direct = lines.filter(
      (line) => !/^\s*(?:\/?\*|\/\/)/.test(line) && DIRECT_TIME.test(line),
    );
    if (READS_TIME.includes(file)) t.not(direct.length, 0, `${file} need not be excepted`);
    else t.same(direct, [], file);
  }
  t.end();
});

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { extract } from 'tar';

const SOURCE = 'scripts/addon-build';
const PACKED = 'scripts/addon-build.tgz';

t.test('what npm installs is what the folder says', async (t) => {
  const folder = t.testdir();
  await extract({ file: PACKED, cwd: folder });
  const packed = join(folder, 'package');
  t.same(readdirSync(packed).sort(), readdirSync(SOURCE).sort());
  for (const name of readdirSync(SOURCE)) {
    const [there, here] = [packed, SOURCE].map((place) => readFileSync(join(place, name), 'utf8'));
    t.equal(there, here, `${name}: pack it again, as its first lines say`);
  }
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const sum = createHash('sha512').update(readFileSync(PACKED)).digest('base64');
  t.equal(packages['node_modules/prebuild-install'].integrity, `sha512-${sum}`);
  // Of two packages with one program, npm takes the first by its name.
  const owners = Object.entries<{ bin?: Record<string, string> }>(packages)
    .filter(([, { bin }]) => bin?.['prebuild-install'] !== undefined)
    .map(([path]) => path)
    .sort();
  t.same(owners, ['node_modules/prebuild-install', 'node_modules/prebuilt-addon']);
});

/** What a Makefile of node-gyp says of the addon's objects. */
const RULES = [
  '$(OBJS): | $(builddir)/sqlite3.a $(obj).target/deps/locate_sqlite3.stamp $(obj).target/deps/sqlite3.a',
  '$(OBJS): TOOLSET := $(TOOLSET)',
  '$(obj).target/better_sqlite3.node: $(OBJS) $(obj).target/deps/sqlite3.a FORCE_DO_CMD',
  '',
].join('\n');

/** Runs the stand-in in a made-up better-sqlite3, with a node-gyp and a fetching that note their calls. */
function build(t: Test, { fetches, builds }: { fetches: boolean; builds: boolean }) {
  const root = t.testdir();
  const place = join(root, 'node_modules/prebuild-install/main.js');
  const fetching = join(root, 'node_modules/prebuilt-addon/bin.js');
  const module = join(root, 'node_modules/better-sqlite3');
  const compiler = join(root, 'bin/node-gyp');
  for (const folder of [place, fetching, compiler].map(dirname)) {
    mkdirSync(folder, { recursive: true });
  }
  mkdirSync(module);
  cpSync(join(SOURCE, 'main.js'), place);
  writeFileSync(fetching, `process.exit(${fetches ? 0 : 1});`);
  const noted = join(root, 'noted');
  const rules = join(module, 'build/better_sqlite3.target.mk');
  writeFileSync(
    compiler,
    [
      '#!/bin/sh',
      `echo "$1 $JOBS $CFLAGS" >> '${noted}'`,
      `[ "$1" = configure ] && mkdir -p build && printf '%s' '${RULES}' > '${rules}'`,
      `[ "$1" = configure ] || exit ${builds ? 0 : 1}`,
    ].join('\n'),
  );
  chmodSync(compiler, 0o755);
  const env = { PATH: [dirname(compiler), process.env.PATH].join(delimiter), CFLAGS: '-g' };
  const { status } = spawnSync(process.execPath, [place], { cwd: module, env });
  return {
    status,
    calls: existsSync(noted) ? readFileSync(noted, 'utf8') : '',
    rules: existsSync(rules) ? readFileSync(rules, 'utf8') : '',
  };
}

t.test('an addon that was fetched is not compiled', async (t) => {
  t.match(build(t, { fetches: true, builds: true }), { status: 0, calls: '' });
});

t.test('one that cannot be had is compiled, its two files side by side', async (t) => {
  const { status, calls, rules } = build(t, { fetches: false, builds: true });
  t.equal(status, 0);
  t.match(calls, /^configure {2}-g\nbuild (max|1) -O2 -g\n$/, 'own flags come last');
  t.equal(
    rules,
    RULES.replace(
      '| $(builddir)/sqlite3.a $(obj).target/deps/locate_sqlite3.stamp $(obj).target/deps/sqlite3.a',
      '| $(obj).target/deps/locate_sqlite3.stamp',
    ),
    'the linker still waits for SQLite',
  );
});

t.test('where that fails better-sqlite3 tries in its own way', async (t) => {
  t.equal(build(t, { fetches: false, builds: false }).status, 1);
});

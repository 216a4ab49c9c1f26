import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import t from 'tap';
import { anchorsOf, brokenLinks, documentsBelow } from './links.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

t.test('links and anchors of the repository resolve', async (t) => {
  const documents = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const files = documents.split('\n').filter((file) => file !== '' && existsSync(join(ROOT, file)));
  t.ok(files.length > 20);
  t.same(brokenLinks(ROOT, files), []);
});

t.test('those of the npm package resolve in it, and its examples are there', async (t) => {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const listed = JSON.parse(
    execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  // npm 12 answers with an object by name.
  const { files } = (Array.isArray(listed) ? listed[0] : Object.values(listed)[0]) as {
    files: { path: string }[];
  };
  const forDevelopers = /\.map$|\.tsbuildinfo$|config\/schema\/document|schema\/json-schema/;
  t.same(
    files.filter(({ path }) => forDevelopers.test(path)),
    [],
  );
  const folder = t.testdir();
  for (const { path } of files.filter(({ path }) => !path.startsWith('dist/'))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(ROOT, path), join(folder, path));
  }
  t.ok(existsSync(join(folder, 'examples/fleet/mosquitto.conf')));
  t.same(brokenLinks(folder, documentsBelow(folder)), []);
});

t.test('those of the Debian package resolve in it, and its examples are there', async (t) => {
  const { stageDocuments } = await import(
    pathToFileURL(join(ROOT, 'scripts/deb/documents.mjs')).href
  );
  const tree = t.testdir({ usr: { lib: { mobilenetd: {} } } });
  for (const name of ['config', 'models'])
    symlinkSync(join(ROOT, name), join(tree, 'usr/lib/mobilenetd', name));
  const folder: string = stageDocuments({ root: ROOT, tree, program: 'usr/lib/mobilenetd' });
  t.ok(readdirSync(join(folder, 'examples')).includes('fleet'));
  t.ok(existsSync(join(folder, 'docs/operations.md')), 'which the unit names');
  t.same(brokenLinks(folder, documentsBelow(folder)), []);
});

t.test('the index by task leads to every page', async (t) => {
  const index = readFileSync(join(ROOT, 'docs/README.md'), 'utf8');
  const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  // The map of the source is for those who change it: CONTRIBUTING.md leads there.
  const others = pages.filter((name) => !['README.md', 'architecture.md'].includes(name));
  t.same(
    others.filter((name) => !index.includes(`](${name})`)),
    [],
  );
});

t.test('what is broken is found', async (t) => {
  const folder = t.testdir({
    'a.md':
      '# A `b` c!\n[1](b.md) [2](#a-b-c) [3](c.md#d) [4](#none) [5](../x) ![6](x.svg)\n<img src="y.svg" alt="">\n`[7](no.md)`\n',
    'c.md': '## D\n## D\n```\n[8](no.md)\n# not\n```\n[9](#d-1) [10](#not)\n',
  });
  t.same(brokenLinks(folder, ['a.md', 'c.md']), [
    'a.md: b.md: is not there',
    'a.md: #none: has no such heading',
    'a.md: ../x: leaves the folder',
    'a.md: x.svg: is not there',
    'a.md: y.svg: is not there',
    'c.md: #not: has no such heading',
  ]);
  t.same(anchorsOf('## [x](y) Größe, 2'), ['x-größe-2']);
});

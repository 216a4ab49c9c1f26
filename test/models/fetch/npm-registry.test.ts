import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { NpmSource } from '#mobilenetd/models/catalog/catalog.js';
import {
  headersFor,
  npmSettings,
  tarballName,
  tarballUrl,
} from '#mobilenetd/models/fetch/npm-registry.js';
import { scratchFolder } from '../../scratch-folder.js';

interface Files {
  readonly project?: string;
  readonly user?: string;
  readonly global?: string;
}

async function settings(name: string, files: Files, env: NodeJS.ProcessEnv = {}) {
  const dir = scratchFolder('npm');
  const cwd = await mkdtemp(join(dir, 'project-'));
  const home = await mkdtemp(join(dir, 'home-'));
  const globalConfig = join(dir, 'npmrc');
  if (files.project !== undefined) await writeFile(join(cwd, '.npmrc'), files.project);
  if (files.user !== undefined) await writeFile(join(home, '.npmrc'), files.user);
  if (files.global !== undefined) await writeFile(globalConfig, files.global);
  return npmSettings(name, { env: { npm_config_globalconfig: globalConfig, ...env }, cwd, home });
}

t.test('which registry', async (t) => {
  const registry = async (...args: Parameters<typeof settings>) =>
    (await settings(...args)).registry;
  t.equal(await registry('a', {}), 'https://registry.npmjs.org/');
  t.equal(await registry('a', { user: 'registry=https://user.example' }), 'https://user.example/');
  const files = {
    project: '; comment\n# comment\nregistry = "https://project.example/npm"\n',
    user: 'registry=https://user.example\n@acme:registry=https://acme.example/',
    global: 'registry=https://global.example',
  };
  t.equal(
    await registry('a', files),
    'https://project.example/npm/',
    'the project before the user',
  );
  t.equal(await registry('@acme/a', files), 'https://acme.example/', 'a scope of its own');
  t.equal(await registry('@other/a', files), 'https://project.example/npm/');
  t.equal(await registry('a', { global: files.global }), 'https://global.example/');
  const env = { npm_config_registry: 'https://env.example/' };
  t.equal(await registry('a', files, env), 'https://env.example/', 'the environment first');
  t.equal(
    await registry('a', files, { NPM_CONFIG_REGISTRY: 'https://e.example' }),
    'https://e.example/',
  );
  t.equal(await registry('a', { user: 'registry=nonsense' }), 'https://registry.npmjs.org/');
  t.equal(
    await registry('a', { user: 'registry=https://$' + '{HOST}/' }, { HOST: 'var.example' }),
    'https://var.example/',
    'variables inside',
  );
});

t.test('credentials belong to an address', async (t) => {
  const user = [
    'registry=https://npm.example/team/a/',
    '//npm.example/team/:_authToken=$' + '{TOKEN}',
    '//other.example/:_authToken=other',
  ].join('\n');
  t.equal((await settings('a', { user }, { TOKEN: 's3cret' })).authorization, 'Bearer s3cret');
  const basic = 'registry=https://npm.example/\n//npm.example/:_auth=dXNlcjpwYXNz';
  t.equal((await settings('a', { user: basic })).authorization, 'Basic dXNlcjpwYXNz');
  const inline = 'registry=https://user:p%40ss@npm.example/';
  const encoded = Buffer.from('user:p@ss').toString('base64');
  t.equal((await settings('a', { user: inline })).authorization, `Basic ${encoded}`);
  const foreign = 'registry=https://npm.example/\n//other.example/:_authToken=other';
  t.equal((await settings('a', { user: foreign })).authorization, null);

  t.strictSame(headersFor('https://npm.example/x.tgz', 'https://npm.example/', 'Bearer x'), {
    authorization: 'Bearer x',
  });
  t.strictSame(headersFor('https://cdn.example/x.tgz', 'https://npm.example/', 'Bearer x'), {});
  t.strictSame(headersFor('http://npm.example/x.tgz', 'https://npm.example/', 'Bearer x'), {});
});

t.test('where a tarball is', async (t) => {
  const source = (name: string): NpmSource => ({
    kind: 'npm',
    package: name,
    version: '1.2.3',
    integrity: 'sha512-',
    members: [],
  });
  t.equal(tarballName(source('plain')), 'plain-1.2.3.tgz');
  t.equal(tarballName(source('@scope/plain')), 'plain-1.2.3.tgz');
  t.equal(
    tarballUrl('https://user:pass@npm.example/team/', source('@scope/plain')),
    'https://npm.example/team/@scope/plain/-/plain-1.2.3.tgz',
    'and no credentials in it',
  );
});

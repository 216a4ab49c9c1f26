// What is in a release, as CycloneDX (https://cyclonedx.org), version 1.5.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CARRIED_NODE } from '../deb/cache.mjs';
import { PROGRAM } from '../deb/stage.mjs';
import { validateBom } from './bom-schema.mjs';

/** Writes what npm's tarball depends on, by the lock file. */
export function npmBom({ root, version, epoch, file }) {
  const options = ['--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'];
  const bom = JSON.parse(
    execFileSync('npm', ['sbom', ...options], { cwd: root, encoding: 'utf8', maxBuffer: 1e9 }),
  );
  // npm names it after the folder.
  bom.metadata.component.name = 'mobilenetd';
  finish(bom, { root, file, epoch, version });
}

/** Writes what a Debian package has in it: its modules, Node, SQLite, libvips and what that is made of. */
export function debBom({ root, deb, version, epoch, file }) {
  const tree = mkdtempSync(join(tmpdir(), 'mobilenetd-bom-'));
  try {
    execFileSync('dpkg-deb', ['-x', deb, tree]);
    const control = (field) =>
      execFileSync('dpkg-deb', ['-f', deb, field], { encoding: 'utf8' }).trim();
    const program = join(tree, PROGRAM);
    const components = [
      ...modulesBelow(join(program, 'node_modules')),
      nodeComponent(program),
      sqliteComponent(root),
      ...vipsComponents(join(program, 'node_modules')),
    ];
    const arch = control('Architecture');
    const debVersion = control('Version');
    const bom = {
      $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
      bomFormat: 'CycloneDX',
      specVersion: '1.5',
      version: 1,
      metadata: {
        lifecycles: [{ phase: 'build' }],
        component: {
          'bom-ref': `mobilenetd@${debVersion}`,
          type: 'application',
          name: 'mobilenetd',
          version: debVersion,
          purl: `pkg:deb/mobilenetd/mobilenetd@${encodeURIComponent(debVersion)}?arch=${arch}`,
          licenses: licensesOf('Apache-2.0'),
          hashes: [{ alg: 'SHA-256', content: sha256(deb) }],
          properties: [{ name: 'mobilenetd:depends', value: control('Depends') }],
        },
      },
      components: unique(components),
    };
    finish(bom, { root, file, epoch, version });
    return `${bom.components.length} components in ${arch}'s package are listed`;
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

/** Times and numbers that do not depend on when it is written, and the schema's word that it is right. */
function finish(bom, { root, file, epoch, version }) {
  const at = new Date(Number(epoch) * 1000).toISOString();
  bom.metadata.timestamp = at;
  const sum = createHash('sha256')
    .update(`${version}\n${JSON.stringify(bom.components)}`)
    .digest('hex');
  const variant = ((Number.parseInt(sum[16], 16) & 3) | 8).toString(16);
  const uuid = [
    sum.slice(0, 8),
    sum.slice(8, 12),
    `5${sum.slice(13, 16)}`,
    `${variant}${sum.slice(17, 20)}`,
    sum.slice(20, 32),
  ];
  bom.serialNumber = `urn:uuid:${uuid.join('-')}`;
  const wrong = validateBom(bom, root);
  if (wrong !== null) throw new Error(`${file}: ${wrong}`);
  writeFileSync(file, `${JSON.stringify(bom, null, 1)}\n`);
}

function modulesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => {
      const path = join(folder, name);
      if (name.startsWith('@')) return modulesBelow(path);
      return [...moduleComponent(path), ...modulesBelow(join(path, 'node_modules'))];
    });
}

function moduleComponent(path) {
  const manifest = join(path, 'package.json');
  if (!existsSync(manifest)) return [];
  const { name, version, license, description } = JSON.parse(readFileSync(manifest, 'utf8'));
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return [component({ type: 'library', name, version, purl, license, description })];
}

function nodeComponent(program) {
  return {
    ...component({
      type: 'platform',
      name: 'node',
      version: CARRIED_NODE,
      purl: `pkg:generic/node@${CARRIED_NODE}`,
      license: 'MIT',
      description: 'Node.js, with V8, libuv, OpenSSL, ICU and what else its LICENSE names',
    }),
    pedigree: {
      notes: 'without symbols, and without the data of ICU for other languages than English',
    },
    hashes: [{ alg: 'SHA-256', content: sha256(join(program, 'node/bin/node')) }],
  };
}

function sqliteComponent(root) {
  const header = join(root, 'node_modules/better-sqlite3/deps/sqlite3/sqlite3.h');
  const version = /#define SQLITE_VERSION\s+"([\d.]+)"/.exec(readFileSync(header, 'utf8'))[1];
  const purl = `pkg:generic/sqlite@${version}`;
  return component({ type: 'library', name: 'sqlite', version, purl, license: 'blessing' });
}

/** libvips has other libraries linked into it, which its package names. */
function vipsComponents(modules) {
  const images = join(modules, '@img');
  const folder = readdirSync(images).find((name) => name.startsWith('sharp-libvips-'));
  const versions = JSON.parse(readFileSync(join(images, folder, 'versions.json'), 'utf8'));
  return Object.entries(versions).map(([name, version]) =>
    component({ type: 'library', name, version, purl: `pkg:generic/${name}@${version}` }),
  );
}

function component({ type, name, version, purl, license, description }) {
  return {
    'bom-ref': purl,
    type,
    name,
    version,
    purl,
    ...(description && { description }),
    ...(typeof license === 'string' && { licenses: licensesOf(license) }),
  };
}

/** SPDX identifiers that packages here have; whatever else is written goes by its name. */
const KNOWN =
  /^(MIT|ISC|0BSD|Apache-2\.0|BSD-[23]-Clause|BlueOak-1\.0\.0|blessing|LGPL-3\.0-or-later)$/;

function licensesOf(license) {
  if (/ (OR|AND|WITH) /.test(license)) return [{ expression: license.replace(/^\((.*)\)$/, '$1') }];
  return [{ license: KNOWN.test(license) ? { id: license } : { name: license } }];
}

function unique(components) {
  const known = new Map(components.map((entry) => [entry['bom-ref'], entry]));
  return [...known.values()].sort((a, b) => a['bom-ref'].localeCompare(b['bom-ref']));
}

function sha256(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

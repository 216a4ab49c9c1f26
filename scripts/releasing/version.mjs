// The version of a release: what a tree must be for it, and where it is written.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianVersion } from './packages.mjs';

const SEMVER = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?$/;
const UNRELEASED = '## Unreleased\n';
const ADDON = 'packaging/homeassistant-addon/config.yaml';

/** Why there can be no release from this tree; null when there can. */
export function refuseTree({ root, version }) {
  if (!SEMVER.test(version)) return `expected a version like 1.2.3 or 1.2.3-rc.1; found ${version}`;
  const changed = git(root, 'status', '--porcelain', '--untracked-files=normal');
  if (changed !== '') return `expected a clean tree; found\n${changed}\nnext: commit or stash it`;
  const current = versionOf(root);
  const isTagged = git(root, 'tag', '--list', `v${version}`) !== '';
  if (version === current) {
    if (!isTagged) return null;
    const tagged = git(root, 'rev-list', '-n', '1', `v${version}`);
    const head = git(root, 'rev-parse', 'HEAD');
    if (tagged === head) return null;
    return `v${version} is ${tagged.slice(0, 9)}, not this commit; next: git checkout v${version}`;
  }
  if (isTagged) return `v${version} exists already; next: take a newer version`;
  if (!isNewer(version, current)) return `expected a version after ${current}; found ${version}`;
  if (unreleased(root) === '') return 'CHANGELOG.md has nothing below "## Unreleased"';
  return null;
}

/** Whether the tree is this release already. */
export function prepareTree({ root, version }) {
  return versionOf(root) === version;
}

/** Writes the version into the tree and closes the changelog's section. Returns the changed files. */
export function setVersion({ root, version, date }) {
  const before = versionOf(root);
  const options = ['--no-git-tag-version', '--allow-same-version', '--ignore-scripts'];
  execFileSync('npm', ['version', version, ...options], { cwd: root, stdio: 'ignore' });
  const changed = ['package.json', 'package-lock.json', 'CHANGELOG.md'];
  edit(root, 'CHANGELOG.md', (text) =>
    text.replace(UNRELEASED, `${UNRELEASED}\n## ${version} (${date})\n`),
  );
  // Whatever names the package's file: documents, the container's build.
  const named = (of) => `mobilenetd_${debianVersion(of)}_`;
  for (const file of filesWith(root, named(before))) {
    edit(root, file, (text) => text.replaceAll(named(before), named(version)));
    changed.push(file);
  }
  const isChanged = edit(root, ADDON, (text) =>
    text.replace(/^version: .*$/m, `version: "${version}"`),
  );
  return isChanged ? [...changed, ADDON] : changed;
}

/** The changelog's section of a version, without its heading. */
export function changesOf(root, version) {
  const text = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  const sections = text.split(/^## /m).slice(1);
  const own = sections.find((section) => section.startsWith(version));
  if (own === undefined) throw new Error(`CHANGELOG.md has no section ${version}`);
  return `${own.slice(own.indexOf('\n')).trim()}\n`;
}

/** Committed files that have a text in them. */
function filesWith(root, text) {
  const { stdout } = spawnSync('git', ['grep', '-lIF', '-e', text], {
    cwd: root,
    encoding: 'utf8',
  });
  return stdout.split('\n').filter(Boolean);
}

function unreleased(root) {
  const text = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  const start = text.indexOf(UNRELEASED);
  if (start < 0) return '';
  return text
    .slice(start + UNRELEASED.length)
    .split(/^## /m)[0]
    .trim();
}

function versionOf(root) {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
}

/** Whether one version comes after another (a pre-release before its release). */
export function isNewer(version, other) {
  const [, ...one] = SEMVER.exec(version);
  const [, ...two] = SEMVER.exec(other);
  for (let index = 0; index < 3; index += 1) {
    if (Number(one[index]) !== Number(two[index])) return Number(one[index]) > Number(two[index]);
  }
  const [before, after] = [two[3], one[3]];
  if (before === undefined) return false;
  if (after === undefined) return true;
  return after.localeCompare(before, 'en', { numeric: true }) > 0;
}

function edit(root, name, change) {
  const file = join(root, name);
  const before = readFileSync(file, 'utf8');
  const after = change(before);
  if (after !== before) writeFileSync(file, after);
  return after !== before;
}

function git(root, ...args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
}

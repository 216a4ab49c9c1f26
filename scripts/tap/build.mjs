// Builds tap without the plugins that .taprc turns off, unless it is built so: tap itself builds each time.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { t } from 'tap';

const built = t.pluginSignature.split('\n');
const off = [...readFileSync('.taprc', 'utf8').matchAll(/"!(.+)"/g)].map(([, plugin]) => plugin);
if (off.some((plugin) => built.includes(plugin))) {
  process.exit(spawnSync('tap', ['build'], { stdio: 'inherit' }).status ?? 1);
}

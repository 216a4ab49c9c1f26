import { spawnSync } from 'node:child_process';
import t from 'tap';

const registry = spawnSync('npm', ['ping'], { stdio: 'ignore', timeout: 60_000 });
const skip = registry.status === 0 ? false : 'no npm registry can be reached for the compiler';

t.test('the committed kernel is what its compiler makes of its source', { skip }, (t) => {
  const done = spawnSync(process.execPath, ['scripts/build-kernel.mjs', '--check'], {
    encoding: 'utf8',
  });
  t.equal(done.status, 0, done.stderr);
  t.end();
});

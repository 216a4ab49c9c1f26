import { spawnSync } from 'node:child_process';
import t from 'tap';

const python = '/usr/bin/python3';
const skip =
  spawnSync(python, ['-c', 'import torch, PIL']).status === 0
    ? false
    : 'python3-torch and python3-pil are not installed';

t.test('all that a step of training needs goes to the device that it runs on', { skip }, (t) => {
  const { status, stdout, stderr } = spawnSync(python, ['test/training/on-device.py'], {
    encoding: 'utf8',
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  t.equal(status, 0, stderr);
  t.same(stdout.trim().split('\n'), [
    'moved meta',
    'without 0 refused',
    'without 1 refused',
    'without 2 refused',
    'without 3 refused',
  ]);
  t.end();
});

import t from 'tap';
import { loadConfig } from '#mobilenetd/config/load.js';
import { diffConfig } from '#mobilenetd/config/reload.js';

function load(yaml: string) {
  return loadConfig({ files: ['/c'], env: {}, readFile: () => Buffer.from(yaml) }).config;
}

t.test('equal configurations do not differ', async (t) => {
  const yaml = 'cameras: { a: { source: demo } }';
  t.same(diffConfig(load(yaml), load(yaml)), {
    sections: [],
    cameras: { added: [], removed: [], changed: [] },
  });
});

t.test('the parts that differ are named', async (t) => {
  const before = load('cameras: { a: { source: demo }, b: { source: demo }, c: { source: demo } }');
  const after = load(
    'cameras: { d: { source: demo }, b: { source: demo, fps: 1 }, c: { source: demo } }\n' +
      'mqtt: { tls: { verify: false } }\nstore: { retention: { days: 1 } }\nnode: other',
  );
  t.same(diffConfig(before, after), {
    sections: ['node', 'store', 'mqtt'],
    cameras: { added: ['d'], removed: ['a'], changed: ['b'] },
  });
});

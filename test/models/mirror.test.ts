import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { openShelf } from '#mobilenetd/models/shelf.js';

const MIRROR = process.env.MOBILENETD_MODELS_MIRROR ?? '../shared/models';
const NAMES = [
  'mobilenet_v1_0.25_128_quant',
  'mobilenet_v1_0.5_160_quant',
  'mobilenet_v1_0.75_192_quant',
  'mobilenet_v2_1.0_224_quant',
];
const absent = NAMES.filter((name) => !existsSync(join(MIRROR, `${name}.tflite`)));
const skip = absent.length > 0 && `the models mirror lacks ${absent.join(', ')}`;

t.test(
  'the official models come from the mirror, as the catalogue describes them',
  { skip },
  async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'mirror-'));
    t.teardown(() => rm(dir, { recursive: true, force: true }));
    // A network that refuses everything: only the mirror can have been used.
    const env = { http_proxy: 'http://127.0.0.1:1', https_proxy: 'http://127.0.0.1:1' };
    const shelf = openShelf({ dir, env: { ...env, MOBILENETD_MODELS_MIRROR: MIRROR } });
    for (const { model, fresh } of await shelf.pull(NAMES)) {
      t.ok(fresh, model.name);
      t.equal(model.labels.length, 1001);
      t.equal(model.labels[1], 'tench, Tinca tinca');
      const { report } = model.forms.exact ?? {};
      t.equal(Math.round((report?.multAdds ?? 0) * 10) / 10, model.multAdds?.[0], 'multiply-adds');
    }
    t.strictSame((await readdir(dir)).sort(), NAMES);
    const choose = async (alpha: number) =>
      (await shelf.resolve({ task: 'classify', name: 'auto', alpha, form: 'auto' })).name;
    t.equal(await choose(0.5), 'mobilenet_v1_0.5_160_quant');
    t.equal(await choose(1), 'mobilenet_v2_1.0_224_quant');
  },
);

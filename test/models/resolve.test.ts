import t from 'tap';
import type { Catalog, CatalogEntry } from '#mobilenetd/models/catalog/catalog.js';
import type { FormRecord } from '#mobilenetd/models/install/conversion.js';
import { type InstalledModel, variantsOf } from '#mobilenetd/models/install/installed.js';
import { modelToPull, resolveVariant, type VariantRequest } from '#mobilenetd/models/resolve.js';
import type { NumericForm, Task } from '#mobilenetd/models/variant.js';
import { nearestNames } from '#mobilenetd/nearest.js';

interface Sketch {
  readonly name: string;
  readonly task?: Task;
  readonly alpha?: number;
  readonly sizes?: readonly number[];
  readonly top1?: number | null;
  readonly forms?: readonly NumericForm[];
}

const logits = { name: 'logits', type: 'uint8', scale: 1, zeroPoint: 0 } as const;

function model(sketch: Sketch): InstalledModel {
  const { name, task = 'classify', alpha = 1, sizes = [224], top1 = null } = sketch;
  const record = (form: NumericForm): FormRecord => ({
    file: `model.${form}.onnx`,
    sha256: form,
    bytes: 1,
    input: { name: 'input', sizes },
    head: { kind: 'classifier', classes: 1, logits },
    report: {
      operators: {},
      parameters: 1,
      multAdds: 1,
      raisedChannels: 0,
      rescaledChannels: 0,
      largestWeightError: 0,
      layers: [],
    },
  });
  const forms = sketch.forms ?? ['exact', 'symmetric'];
  return {
    schema: 1,
    name,
    family: 'mobilenet_v1',
    task,
    alpha,
    sizes,
    licence: null,
    centralCrop: 1,
    accuracy: { top1, top5: null, map: null },
    multAdds: sizes.map((size) => size * alpha),
    convertedBy: 'test',
    origin: { source: 'test', files: [] },
    forms: Object.fromEntries(forms.map((form) => [form, record(form)])),
    folder: `/models/${name}`,
    labels: ['x'],
  };
}

const entry = (sketch: Sketch): CatalogEntry => ({
  ...model(sketch),
  format: 'tflite',
  forms: ['exact'],
  source: { kind: 'file', path: 'x', archive: 'none', sha256: 'x', members: [] },
  labels: 'x.txt',
  accuracySlim: null,
});

const SMALL = { name: 'small_0.5_160', alpha: 0.5, sizes: [160], top1: 57 };
const LARGE = { name: 'large_1.0_224', alpha: 1, sizes: [224], top1: 70 };
const OTHER = { name: 'other_1.0_224', alpha: 1, sizes: [224], top1: 69 };
const FINDER = { name: 'finder', task: 'detect', sizes: [300, 236] } as const;
const SEEKER = { name: 'seeker', task: 'detect', sizes: [320], top1: 99 } as const;

const CATALOG: Catalog = {
  file: '/catalog.json',
  defaults: { classify: 'small_0.5_160', detect: 'finder' },
  models: [SMALL, LARGE, OTHER, FINDER].map(entry),
};

const INSTALLED = [SMALL, LARGE, FINDER, SEEKER].map(model);

const request = (fields: Partial<VariantRequest>): VariantRequest => ({
  task: 'classify',
  name: 'auto',
  form: 'auto',
  ...fields,
});
const resolve = (fields: Partial<VariantRequest>, installed = INSTALLED) =>
  resolveVariant(request(fields), installed, CATALOG);

t.test('auto', async (t) => {
  t.equal(resolve({}).name, 'large_1.0_224', 'the most accurate classifier');
  t.equal(
    resolve({ task: 'detect' }).name,
    'finder_300',
    'the default detector, at its native size',
  );
  t.equal(resolve({ task: 'detect' }, [model(SEEKER)]).name, 'seeker', 'else another one');
  t.equal(resolve({ alpha: 0.5 }).name, 'small_0.5_160');
  t.equal(resolve({ size: 160 }).name, 'small_0.5_160');
  t.equal(resolve({ task: 'detect', size: 236 }).name, 'finder_236');
  t.equal(resolve({ task: 'detect', size: 320 }).name, 'seeker');
});

t.test('by name', async (t) => {
  t.equal(resolve({ name: 'small_0.5_160' }).model, 'small_0.5_160');
  t.equal(resolve({ name: 'finder', task: 'detect' }).size, 300);
  t.equal(resolve({ name: 'finder_236', task: 'detect' }).size, 236);
  t.equal(resolve({ name: 'finder', size: 236, task: 'detect' }).name, 'finder_236');
  t.equal(resolve({ name: 'finder_236', task: 'detect' }).multAdds, 236);
});

t.test('forms', async (t) => {
  t.equal(resolve({}).form, 'exact', 'the published numbers, unless something was measured');
  t.equal(resolve({ form: 'symmetric' }).form, 'symmetric');
  t.equal(resolve({}, [model({ ...SMALL, forms: ['float32', 'symmetric'] })]).form, 'symmetric');
  const preferred = resolveVariant(request({}), INSTALLED, CATALOG, () => 'symmetric');
  t.equal(preferred.form, 'symmetric', 'what this board measured');
  t.equal(preferred.file, '/models/large_1.0_224/model.symmetric.onnx');
  t.equal(preferred.sha256, 'symmetric');
  t.equal(resolveVariant(request({}), INSTALLED, CATALOG, () => 'float32').form, 'exact');
});

t.test('a model for the other task is told what to write, installed or not', async (t) => {
  const rung = { ...SMALL, name: 'thing_0.5_96' };
  const catalog = { ...CATALOG, models: [...CATALOG.models, { ...entry(rung), ladder: 'things' }] };
  const refused = (fields: Partial<VariantRequest>, installed: readonly InstalledModel[]) =>
    t.throws(
      () => resolveVariant(request({ task: 'detect', ...fields }), installed, catalog),
      { code: 'MND_MODEL_MISMATCH', message: /write model\.task: classify/ },
      `${fields.name}, ${installed.length} installed`,
    );
  for (const name of ['large_1.0_224', 'things', 'thing_0.5_96']) {
    refused({ name }, [...INSTALLED, { ...model(rung), ladder: 'things' }]);
    refused({ name }, []);
  }
  t.throws(() => resolve({ name: 'finder' }), { message: /write model\.task: detect/ });
});

t.test('what is not there', async (t) => {
  const missing = (fields: Partial<VariantRequest>, command: string, installed = INSTALLED) =>
    t.throws(() => resolve(fields, installed), {
      code: 'MND_MODEL_MISSING',
      exitCode: 69,
      message: new RegExp(`run: mobilenetd models pull ${command}$`),
    });
  missing({}, 'small_0.5_160', []);
  missing({ task: 'detect' }, 'finder', []);
  missing({ name: 'other_1.0_224' }, 'other_1.0_224');
  missing({ name: 'finder_236', task: 'detect' }, 'finder', []);
  missing({ alpha: 1 }, 'large_1.0_224', []);
  missing({ form: 'float32' }, 'large_1.0_224 --form float32');

  const unknown = (fields: Partial<VariantRequest>, message: RegExp) =>
    t.throws(() => resolve(fields), { code: 'MND_MODEL_UNKNOWN', exitCode: 64, message });
  unknown({ name: 'lrage_1.0_224' }, /did you mean large_1.0_224/);
  unknown({ name: 'zzz' }, /models list/);
  unknown({ alpha: 0.33 }, /classify with alpha 0.33/);
  unknown({ name: 'small_0.5_160', size: 224 }, /expected 224 px; found alpha 0.5 and 160 px/);
  unknown({ name: 'finder_236', size: 300, task: 'detect' }, /expected 300 px/);
  unknown({ name: 'small_0.5_160', alpha: 1 }, /expected alpha 1/);
  t.throws(() => resolve({ name: 'finder' }), {
    code: 'MND_MODEL_MISMATCH',
    message: /expected a model that can classify; found one that can detect/,
  });
});

t.test('what to pull', async (t) => {
  t.equal(modelToPull(request({}), CATALOG), 'small_0.5_160');
  t.equal(modelToPull(request({ task: 'detect', size: 236 }), CATALOG), 'finder');
  t.equal(modelToPull(request({ name: 'finder_300' }), CATALOG), 'finder');
  t.equal(modelToPull(request({ name: 'seeker' }), CATALOG), null);
  t.equal(modelToPull(request({ alpha: 0.3 }), CATALOG), null);
});

t.test('accuracy is that of the native size', async (t) => {
  const [native, other] = variantsOf(model({ ...FINDER, top1: 22 }), 'exact');
  t.equal(native?.accuracy.top1, 22);
  t.equal(other?.accuracy.top1, null);
});

t.test('nearest names', async (t) => {
  const names = ['mobilenet_v1_0.5_160_quant', 'mobilenet_v1_0.5_128_quant', 'ssdlite'];
  t.strictSame(nearestNames('mobilenet_v1_0.5_160', names)[0], 'mobilenet_v1_0.5_160_quant');
  t.strictSame(nearestNames('ssd', names), ['ssdlite']);
  t.strictSame(nearestNames('sdslite', names), ['ssdlite'], 'swapped letters');
  t.strictSame(nearestNames('xyz', names), []);
  t.strictSame(nearestNames('', names), []);
  t.equal(nearestNames('m'.repeat(100_000), names).length, 0);
});

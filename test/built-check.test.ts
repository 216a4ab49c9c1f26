import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import t from 'tap';
import { builtCheck, SCHEMA_DIALECT } from '#mobilenetd/built-check.js';
import { CATALOG_SCHEMA } from '#mobilenetd/models/catalog/catalog-schema.js';
import { INSTALLED_SCHEMA } from '#mobilenetd/models/install/installed-schema.js';
import { REQUEST_SCHEMAS, VERBS } from '#mobilenetd/mqtt/commands/requests.js';

const OUTPUT = { name: 'logits', type: 'float32', scale: 1, zeroPoint: 0 };

/** A record that fits its schema. */
const RECORD = {
  schema: 1,
  name: 'birds',
  family: 'mobilenet_v1',
  task: 'classify',
  alpha: 0.5,
  sizes: [160],
  licence: 'Apache-2.0',
  centralCrop: 0.875,
  accuracy: { top1: 39.5, top5: 64.4, map: null },
  multAdds: [77],
  convertedBy: 'mobilenetd 0.1.0',
  origin: { source: 'birds.tflite', files: [{ name: 'birds.tflite', sha256: 'a'.repeat(64) }] },
  forms: {
    exact: {
      file: 'model.exact.onnx',
      bytes: 1000,
      sha256: 'b'.repeat(64),
      input: { name: 'picture', sizes: [160] },
      head: { kind: 'classifier', classes: 3, logits: OUTPUT },
      report: {},
    },
  },
};

/** Values of other types, lengths and ranges than what stands there. */
const STRANGE = [null, -1, 1.5, 1e9, '', 'x'.repeat(300), 'ü/"\n', [], {}, true];

/** Copies of a document, each damaged in one place: a key gone, another value, a key too many. */
function* damaged(value: unknown): Generator<unknown> {
  yield* STRANGE;
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    // Items are alike: damage of the first is damage of any.
    const [first, ...rest] = value;
    if (value.length > 0) for (const other of damaged(first)) yield [other, ...rest];
    yield [...value, ...value];
    return;
  }
  yield { ...value, surplus: 1 };
  for (const [key, inner] of Object.entries(value)) {
    const { [key]: _gone, ...others } = value as Record<string, unknown>;
    yield others;
    for (const other of damaged(inner)) yield { ...value, [key]: other };
  }
}

t.test('what was built says what Ajv says of the same schema', (t) => {
  const catalog: unknown = JSON.parse(readFileSync('models/catalog.json', 'utf8'));
  const request = { transaction: '1', do: 'list', seconds: 3, of: ['cat'], camera: 'a' };
  const checks = [
    { check: builtCheck('catalog'), schema: CATALOG_SCHEMA, sample: catalog },
    { check: builtCheck('installed'), schema: INSTALLED_SCHEMA, sample: RECORD },
    ...VERBS.map((verb) => ({
      check: builtCheck('requests', verb),
      schema: REQUEST_SCHEMAS[verb],
      sample: request,
    })),
  ];
  for (const { check, schema, sample } of checks) {
    const built = check();
    const compiled = new Ajv(SCHEMA_DIALECT).compile(schema);
    let refused = 0;
    for (const document of [sample, ...damaged(sample)]) {
      const fits = compiled(document);
      if (!fits) refused += 1;
      const same = built(document) === fits && alike(built.errors, compiled.errors);
      if (!same) t.same(built.errors, compiled.errors, JSON.stringify(document).slice(0, 200));
    }
    t.ok(refused > 10, `${refused} were refused`);
  }
  t.ok(builtCheck('installed')()(RECORD), 'a sample fits, so what is inside of it is reached');
  t.ok(builtCheck('catalog')()(catalog));
  t.end();
});

function alike(one: unknown, other: unknown): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}

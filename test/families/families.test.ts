import { readFileSync } from 'node:fs';
import t from 'tap';
import { readTflite } from '#mobilenetd/convert/convert.js';
import { claimIn, FAMILIES, familyNamed, identify } from '#mobilenetd/families/families.js';
import { SHIPPED_CATALOG } from '#mobilenetd/models/catalog/catalog.js';
import { mobilenetV3Spec } from '../convert/build-mobilenet-v3.js';
import { buildTflite } from '../convert/build-tflite.js';
import { wildModel } from '../convert/mirror.js';

t.test('names differ, and what is described is described whole', (t) => {
  t.equal(new Set(FAMILIES.map(({ name }) => name)).size, FAMILIES.length);
  for (const { name, task, describe } of FAMILIES) {
    const size = task === 'detect' ? 300 : 224;
    const alpha = name.startsWith('efficientnet') ? null : 0.5;
    const { layers, totals } = describe({ alpha, size, classes: 21 });
    t.ok(layers.length > 20, name);
    t.equal(
      totals.multAdds,
      layers.reduce((sum, { multAdds }) => sum + multAdds, 0),
    );
    const wrong = alpha === null ? 1 : null;
    t.throws(() => describe({ alpha: wrong, size, classes: 21 }), { code: 'MND_USAGE' });
  }
  t.end();
});

/** Labels of the shipped ladder. */
const LADDER_CLASSES = 58;

t.test('multiply-adds are those of the catalogue', (t) => {
  const { models } = JSON.parse(readFileSync(SHIPPED_CATALOG, 'utf8'));
  const classes: Record<string, number> = {
    ssdlite_mobilenet_v2_coco: 91,
    ssd_mobilenet_v2_oidv4: 24,
    ssd_mobilenet_v2_coco_quant: 91,
    'ssd_mobilenet_v1_1.0_coco_quant': 91,
  };
  let compared = 0;
  for (const { name, family, alpha, sizes, multAdds, ladder = null } of models) {
    const described = familyNamed(family);
    t.ok(described, `${name} is of a family in the table`);
    for (const [index, millions] of (multAdds ?? []).entries()) {
      const member = {
        alpha,
        size: sizes[index],
        classes: classes[name] ?? (ladder === null ? 1001 : LADDER_CLASSES),
      };
      const found = (described?.describe(member).totals.multAdds ?? 0) / 1e6;
      t.ok(Math.abs(found / millions - 1) < 0.012, `${name} ${sizes[index]}: ${found}`);
      compared += 1;
    }
  }
  t.ok(compared > 20);
  t.end();
});

/** The page of the published checkpoints: pixels, millions of multiply-adds. */
const EFFICIENTNET_LITE = [
  [224, 407],
  [240, 631],
  [260, 899],
  [280, 1440],
  [300, 2640],
] as const;

t.test("EfficientNet-Lite's multiply-adds are the published ones", (t) => {
  for (const [number, [size, millions]] of EFFICIENTNET_LITE.entries()) {
    const family = familyNamed(`efficientnet_lite${number}`);
    const { totals } = family?.describe({ alpha: null, size, classes: 1000 }) ?? {};
    const found = (totals?.multAdds ?? 0) / 1e6;
    t.ok(Math.abs(found / millions - 1) < 0.06, `${number}: ${found}`);
  }
  t.end();
});

t.test('MobileNetV3 is recognised, large and small', (t) => {
  for (const kind of ['large', 'small'] as const) {
    const { graph } = readTflite(buildTflite(mobilenetV3Spec({ kind, size: 96, classes: 7 })));
    const expected = { family: `mobilenet_v3_${kind}`, alpha: 1, size: 96, classes: 7 };
    t.strictSame(identify(graph), expected);
    const shorter = mobilenetV3Spec({ kind, size: 96, classes: 7, shortened: 1 });
    t.equal(identify(readTflite(buildTflite(shorter)).graph), null);
  }
  t.end();
});

const ssd = wildModel('coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite');
t.test('an SSD is recognised by all its convolutions', { skip: ssd.skip }, (t) => {
  const { graph } = readTflite(readFileSync(ssd.path));
  // For all its name, it is the narrow one.
  const expected = { family: 'ssd_mobilenet_v1', alpha: 0.75, size: 300, classes: 91 };
  t.strictSame(identify(graph), expected);
  const { totals } = familyNamed('ssd_mobilenet_v1')?.describe(expected) ?? {};
  t.ok(Math.abs((totals?.parameters ?? 0) - 4.1e6) < 1e5, `${totals?.parameters} parameters`);
  t.end();
});

t.test('names that claim a family', (t) => {
  t.strictSame(claimIn('mobilenet_v1_0.5_160_quant'), {
    family: 'mobilenet_v1',
    alpha: 0.5,
    size: 160,
  });
  t.match(claimIn('MobileNet-V2_0.35-96'), { family: 'mobilenet_v2', alpha: 0.35, size: 96 });
  t.equal(claimIn('birds'), null);
  t.equal(claimIn('ssd_mobilenet_v1_0.75_300_coco'), null, 'a detector claims nothing of its own');
  t.equal(claimIn('mobilenet_v1_1.0_quant'), null);
  t.end();
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import {
  fitLabels,
  formatLabels,
  parseLabels,
  readLabels,
  requireDifferent,
} from '#mobilenetd/models/labels.js';
import type { ClassifierHead, SsdHead } from '#mobilenetd/models/variant.js';
import { scratchFolder } from '../scratch-folder.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const parse = (text: string) => parseLabels(bytes(text), 'labels.txt');

const logits = { name: 'logits', type: 'uint8', scale: 1, zeroPoint: 0 } as const;
const classifier = (classes: number): ClassifierHead => ({ kind: 'classifier', classes, logits });
const detector = (classes: number): SsdHead => ({
  kind: 'ssd',
  classes,
  layers: [{ boxes: logits, scores: logits, stride: 16 }],
  anchors: {
    referenceSize: 300,
    minScale: 0.2,
    maxScale: 0.95,
    aspectRatios: [1],
    reduceBoxesInLowestLayer: true,
    interpolatedScaleAspectRatio: 1,
  },
  boxScales: [10, 10, 5, 5],
});

t.test('label files as people write them', async (t) => {
  t.strictSame(parse('cat\ndog\n'), ['cat', 'dog']);
  t.strictSame(parse('cat\r\ndog'), ['cat', 'dog'], 'Windows lines, no last newline');
  t.strictSame(
    parse('\uFEFFcat\ndog\n\n'),
    ['cat', 'dog'],
    'byte order mark, empty lines at the end',
  );
  t.strictSame(parse('???\nperson\n???\n'), ['', 'person', ''], 'unused classes');
  t.strictSame(parse('0 cat\n1 dog\n'), ['cat', 'dog'], 'Teachable Machine');
  for (const text of [
    '1 cat\n2 dog\n',
    '0: cat\n1: dog',
    '0, cat\n1, dog',
    '1. cat\n2. dog',
    '(0) cat\n(1) dog'.replace(/[(]/g, ''),
    "0: 'cat',\n1: 'dog'",
    '["cat", "dog"]',
    '{"0": "cat", "1": "dog"}',
    '{"labels": ["cat", "dog"], "modelName": "pets"}',
    '{"names": {"0": "cat", "1": "dog"}}',
    '[{"name": "cat"}, {"name": "dog"}]',
    // Lists that do not stand in the order of the classes: the numbers say it.
    '[{"id": 1, "name": "dog"}, {"id": 0, "name": "cat"}]',
    '1 dog\n0 cat',
    'dog,1\ncat,0',
    '{"dog": 1, "cat": 0}',
    'cat 0\ndog 1',
    'index,label\n0,cat\n1,dog',
    '{"id2label": {"0": "cat", "1": "dog"}, "label2id": {"cat": 0, "dog": 1}}',
    '{"0": ["n01", "cat"], "1": ["n02", "dog"]}',
    "['cat', 'dog']",
    "{0: 'cat', 1: 'dog'}",
    "path: data\nnc: 2\nnames: ['cat', 'dog']\n",
    'path: data\nnames:\n  0: cat\n  1: dog\nnc: 2\n',
    'names:\n- cat\n- dog\nnc: 2\n',
    '- cat\n- dog',
    '"cat",\n"dog"',
    'n02119789 cat\nn02100735 dog',
    'cat\rdog',
  ]) {
    t.strictSame(parse(text), ['cat', 'dog'], text);
  }
  const map =
    "item {\n  id: 1\n  name: '/m/1'\n  display_name: 'cat'\n}\nitem { id: 3 name: \"dog\" }";
  t.strictSame(parse(map), ['', 'cat', '', 'dog'], 'TensorFlow label map');
  t.strictSame(parse('1 person\n2 bicycle\n4 car\n'), ['', 'person', 'bicycle', '', 'car']);
  const wide = Buffer.from('\uFEFFcat\r\ndog', 'utf16le');
  t.strictSame(parseLabels(wide, 'labels.txt'), ['cat', 'dog'], 'as Windows writes them');
  t.strictSame(parseLabels(wide.swap16(), 'labels.txt'), ['cat', 'dog'], 'or the other way round');
  t.strictSame(
    parse('Class 1\nClass 2'),
    ['Class 1', 'Class 2'],
    'names with a number of their own',
  );
  t.strictSame(parse("item: { id: 1 name: 'cat' }"), ['', 'cat']);
  t.strictSame(parse('7 up\nwater\n'), ['7 up', 'water'], 'numbers that are names stay');
  t.strictSame(parse('2 euro\n10 euro\n50 euro\n'), ['2 euro', '10 euro', '50 euro']);
  t.strictSame(parse('tench, Tinca tinca\ncafé\n'), ['tench, Tinca tinca', 'café']);
  t.strictSame(parse(formatLabels(['', 'cat', ''])), ['', 'cat', '']);
});

t.test('files that are no label files', async (t) => {
  const invalid = (content: Uint8Array, message: RegExp) =>
    t.throws(() => parseLabels(content, 'labels.txt'), { code: 'MND_LABELS_INVALID', message });
  invalid(bytes(''), /an empty file/);
  invalid(bytes('\n\n'), /an empty file/);
  invalid(bytes('cat\n\ndog'), /nothing in line 2/);
  invalid(bytes('cat\nd\u0000g'), /a control character in line 2/);
  invalid(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10), /UTF-8/);
  invalid(Uint8Array.of(0xff, 0xfe, 0x63), /UTF-8/);
  invalid(Buffer.from('K\xe4se', 'latin1'), /UTF-8/);
  invalid(bytes('x'.repeat(501)), /501 characters in line 1/);
  invalid(bytes('x\n'.repeat(32_769)), /at most 32768 labels/);
  invalid(new Uint8Array(1024 * 1024 + 1).fill(120), /at most 1048576 bytes/);
});

t.test('two classes of one name', async (t) => {
  t.throws(() => requireDifferent(['cat', 'dog', 'cat'], 'pets.txt'), {
    code: 'MND_LABELS_INVALID',
    message: /a name of its own for each class; found "cat" in lines 1 and 3; tell them apart/,
  });
  requireDifferent(['', 'cat', ''], 'pets.txt');
  const imagenet = Array.from({ length: 1001 }, (_, at) => (at % 900 === 7 ? 'crane' : `${at}`));
  requireDifferent(imagenet, 'imagenet.txt');
});

t.test('as many labels as classes', async (t) => {
  const thousand = Array.from({ length: 1000 }, (_, index) => `label ${index}`);
  t.strictSame(fitLabels(['a', 'b'], classifier(2), 'f'), ['a', 'b']);
  t.strictSame(fitLabels(thousand, classifier(1001), 'f').slice(0, 2), ['background', 'label 0']);
  t.strictSame(
    fitLabels(['person'], detector(2), 'f'),
    ['', 'person'],
    'a detector has background',
  );
  for (const [labels, head] of [
    [['a'], classifier(2)],
    [['a', 'b', 'c'], classifier(2)],
    [['a', 'b', 'c'], detector(2)],
    [['a'], detector(3)],
  ] as const) {
    t.throws(() => fitLabels(labels, head, 'f'), {
      code: 'MND_LABELS_INVALID',
      message: `f: a label file does not fit its model; expected ${head.classes} labels, one a class; found ${labels.length}`,
    });
  }
});

t.test('reading from the disk', async (t) => {
  const dir = scratchFolder('labels');
  await t.rejects(readLabels(join(dir, 'none.txt')), { code: 'MND_INPUT_MISSING' });
  await t.rejects(readLabels(dir), { code: 'MND_INPUT_MISSING' });
  await writeFile(join(dir, 'big.txt'), Buffer.alloc(3_000_000, 'x'));
  await t.rejects(readLabels(join(dir, 'big.txt')), { code: 'MND_LABELS_INVALID' });
  await t.rejects(readLabels('/dev/zero'), { code: 'MND_LABELS_INVALID' }, 'endless files end');
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { kindOf } from '#mobilenetd/models/install/file-kind.js';
import { smallSpec } from '../../convert/build-small.js';
import { buildTflite } from '../../convert/build-tflite.js';
import { classifierSpec, encodeOnnx } from '../../convert/own-onnx/build-onnx.js';

const root = mkdtempSync(join(tmpdir(), 'file-kind-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));

function put(name: string, content: string | Uint8Array): string {
  const file = join(root, name);
  writeFileSync(file, content);
  return file;
}

const TFLITE = buildTflite(smallSpec());
const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 4\n`;

/** What people give, and the sentence that they read. */
const STRANGERS: readonly (readonly [name: string, content: string | Uint8Array, text: RegExp])[] =
  [
    [
      'model.tflite',
      POINTER,
      /found a Git LFS pointer, not the file itself; fetch it with: git lfs pull/,
    ],
    ['model.onnx', POINTER, /found a Git LFS pointer/],
    [
      'detect.tflite',
      '<!DOCTYPE html>\n<html>',
      /found an HTML page; fetch the file itself: on GitHub by "Raw"/,
    ],
    ['page.onnx', '\n  <html lang="en">', /found an HTML page/],
    [
      'keras_model.h5',
      Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a),
      /found a Keras model in HDF5 \(\.h5\); convert it in Python: tf\.lite/,
    ],
    ['birds.keras', 'x', /found a Keras model \(\.keras\); convert it/],
    [
      'yolov8n.pt',
      Uint8Array.of(0x80, 0x02, 0x8a, 0x0a),
      /found a PyTorch file; export it to ONNX in Python: torch\.onnx\.export/,
    ],
    [
      'frozen_inference_graph.pb',
      Uint8Array.of(10, 4, 1, 2),
      /found a TensorFlow graph or SavedModel \(\.pb\); convert it/,
    ],
    [
      'doorbell.eim',
      Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2),
      /found an Edge Impulse Linux executable \(\.eim\); export/,
    ],
    ['model.tar.gz', Uint8Array.of(0x1f, 0x8b, 8), /found a compressed archive; unpack it/],
    [
      'ssd_edgetpu.tflite',
      TFLITE,
      /found a model compiled for the Edge TPU .*the one without _edgetpu/,
    ],
    ['nano.param', '7767517\n168 192\n', /compiled for another accelerator or framework/],
    ['cat.jpg', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0), /found a picture; try a model on pictures/],
    ['weights.bin', 'x', /found weights without their network/],
    ['nothing.tflite', '', /found an empty file; fetch it again/],
    [
      'notes.md',
      'my model',
      /expected a \.tflite, an \.onnx, a TensorFlow\.js model\.json, or a zip/,
    ],
  ];

for (const [name, content, message] of STRANGERS) {
  t.test(`${name} is called what it is`, async (t) => {
    await t.rejects(kindOf(put(name, content)), { code: 'MND_MODEL_FORMAT', message });
  });
}

t.test('models, whatever they are called', async (t) => {
  t.equal(await kindOf(put('a.tflite', TFLITE)), 'tflite');
  t.equal(await kindOf(put('a.lite', TFLITE)), 'tflite');
  t.equal(await kindOf(put('a', TFLITE)), 'tflite');
  t.equal(await kindOf(put('b.onnx', encodeOnnx(classifierSpec()))), 'onnx');
  t.equal(await kindOf(put('b', encodeOnnx(classifierSpec()))), 'onnx');
  t.equal(await kindOf(put('model.json', '{"format":"layers-model"}')), 'json');
  t.equal(await kindOf(put('c.zip', Uint8Array.of(0x50, 0x4b, 3, 4))), 'zip');
  t.equal(await kindOf(put('damaged.tflite', 'ABCDEFGH')), 'tflite', 'what is wrong is told later');
  await t.rejects(kindOf(join(root, 'none')), { code: 'MND_INPUT_MISSING' });
});

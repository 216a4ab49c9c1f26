#!/usr/bin/env node
// Measures a trained ladder as the daemon runs it: converted, quantized, pictures decoded, cropped and
// resized by the daemon's own code. Writes the figures into DIR/ladder.json.
// usage: scripts/evaluate-ladder.mjs DIR [--form symmetric] [--dry] PICTURES...
// PICTURES has LABEL/*.jpg; figures are top-1 and top-5 over the first of them, the others by name.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import ort from 'onnxruntime-node';
import sharp from 'sharp';
import { convertNetwork } from '../dist/convert/convert.js';
import { parseSafetensors } from '../dist/convert/safetensors/file.js';
import {
  TRAINED_CALIBRATION,
  trainedMobilenetV1,
} from '../dist/convert/safetensors/mobilenet-v1.js';
import { centralCrop } from '../dist/vision/crop.js';
import { resizeBilinear } from '../dist/vision/resize.js';
import { createSamplingPlan } from '../dist/vision/sampling.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    form: { type: 'string', default: 'symmetric' },
    dry: { type: 'boolean', default: false },
  },
});
const [folder, ...places] = positionals;
if (folder === undefined || places.length === 0) {
  process.stderr.write(
    'usage: scripts/evaluate-ladder.mjs DIR [--form FORM] [--dry] PICTURES...\n',
  );
  process.exit(64);
}

const ladder = JSON.parse(readFileSync(join(folder, 'ladder.json'), 'utf8'));
const labels = readFileSync(join(folder, ladder.labels), 'utf8').split('\n').filter(Boolean);

/** Pictures of LABEL folders, decoded: { label, bytes, width, height }. */
async function load(place) {
  const found = [];
  for (const label of readdirSync(place)) {
    const index = labels.indexOf(label);
    // A ladder of some of the labels is measured on their pictures.
    if (index < 0) continue;
    for (const file of readdirSync(join(place, label))) {
      const { data, info } = await sharp(join(place, label, file))
        .removeAlpha()
        .toColourspace('srgb')
        .raw()
        .toBuffer({ resolveWithObject: true });
      found.push({ index, bytes: data, width: info.width, height: info.height });
    }
  }
  return found;
}

const sets = [];
for (const place of places)
  sets.push({ name: basename(dirname(place)), pictures: await load(place) });

function fill(picture, size, out) {
  const { width, height } = picture;
  const layout = { width, height, format: 'rgb24', range: 'full' };
  resizeBilinear(
    picture.bytes,
    createSamplingPlan(layout, centralCrop(width, height, ladder.centralCrop), size, size),
    out,
  );
}

async function measure(session, name, size, pictures) {
  const out = new Uint8Array(size * size * 3);
  let [first, fifth] = [0, 0];
  for (const picture of pictures) {
    fill(picture, size, out);
    const results = await session.run({ input: new ort.Tensor('uint8', out, [1, size, size, 3]) });
    const logits = [...results[name].data];
    const own = logits[picture.index];
    // A tie counts half: eight bits make some.
    const better = logits.filter((value) => value > own).length;
    const equal = logits.filter((value) => value === own).length - 1;
    const within = (k) => Math.max(0, Math.min(1, (k - better) / (equal + 1)));
    first += within(1);
    fifth += within(5);
  }
  const percent = (hits) => Math.round((10_000 * hits) / pictures.length) / 100;
  return { top1: percent(first), top5: percent(fifth) };
}

for (const model of ladder.models) {
  const file = parseSafetensors(readFileSync(join(folder, model.file)));
  for (const figures of model.figures) {
    const { size } = figures;
    const graph = trainedMobilenetV1(file, size);
    const calibration = TRAINED_CALIBRATION;
    const converted = convertNetwork(
      { kind: 'classifier', graph },
      { form: values.form, calibration },
    );
    const session = await ort.InferenceSession.create(converted.onnx, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
    });
    const measured = [];
    for (const { name, pictures } of sets) {
      measured.push({
        name,
        ...(await measure(session, converted.head.logits.name, size, pictures)),
      });
    }
    await session.release();
    const [{ top1, top5 }, ...rest] = measured;
    figures[values.form] = {
      top1,
      top5,
      ...Object.fromEntries(rest.map((set) => [set.name, set.top1])),
    };
    figures.multAdds = Math.round(10 * converted.report.multAdds) / 10;
    process.stdout.write(
      `alpha ${model.alpha} at ${size} px, ${values.form}: top-1 ${top1} %, top-5 ${top5} % (${figures.top1} % in training)` +
        `${rest.map((set) => `, ${set.name} ${set.top1} %`).join('')}, ${figures.multAdds} M\n`,
    );
  }
}
if (!values.dry) writeFileSync(join(folder, 'ladder.json'), `${JSON.stringify(ladder, null, 1)}\n`);

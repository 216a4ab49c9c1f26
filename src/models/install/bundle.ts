import { readFile, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import yauzl from 'yauzl';
import type { Maker } from '../../convert/scaling.js';
import { codedError, messageOf } from '../../errors.js';
import { extractMembers } from '../fetch/archive.js';
import { parseLabels } from '../labels.js';
import { labelsInHeader, MODEL_SOURCES, modelInSource } from './edge-impulse-source.js';

/** What a zip from a training service holds. */
export interface Bundle {
  /** The model's file, unpacked. */
  readonly file: string;
  readonly labels: readonly string[] | null;
  readonly maker: Maker | null;
}

const MAX_ENTRIES = 20_000;

/** What macOS and others put into a zip besides. */
const HIDDEN = /(^|\/)(__MACOSX\/|\.)/;

/** Models in the order in which they are preferred: integers before real numbers. */
const MODELS = [
  /(^|\/)model_quantized\.tflite$/i,
  /int8.*\.(tflite|lite)$/i,
  /(^|\/)(model|vww_96_grayscale_quantized)\.tflite$/i,
  /(^|\/)(trained|tflite_learn_\d+\w*)\.tflite$/i,
  /\.(tflite|lite)$/i,
  /\.onnx$/i,
  /(^|\/)model\.json$/i,
];

/** Weights of a TensorFlow.js model; older converters name them without an ending. */
const SHARD = /\.bin$|(^|\/)group\d+-shard\d+of\d+$/i;

/** What lies in Keras' and PyTorch's own zips. */
const STRANGERS: readonly (readonly [RegExp, string, string])[] = [
  [
    /(^|\/)model\.weights\.h5$/,
    'a Keras model (.keras)',
    'convert it in Python: tf.lite.TFLiteConverter.from_keras_model(keras.models.load_model(FILE)).convert()',
  ],
  [
    /(^|\/)data\.pkl$/,
    'a PyTorch file',
    'export it to ONNX in Python: torch.onnx.export(model, torch.zeros(1, 3, SIZE, SIZE), "model.onnx")',
  ],
  [
    /(^|\/)saved_model\.pb$/,
    'a TensorFlow SavedModel',
    'convert it in Python: tf.lite.TFLiteConverter.from_saved_model(FOLDER).convert()',
  ],
];

/**
 * Takes the model and its labels out of a zip, as Teachable Machine and Edge Impulse give them.
 *
 * @param scratch existing folder for what is unpacked
 * @throws MND_MODEL_FORMAT for a zip without a model, MND_ARCHIVE_INVALID
 */
export async function openBundle(zip: string, scratch: string): Promise<Bundle> {
  const names = await namesIn(zip);
  const model = onlyModel(zip, names);
  const edgeImpulse = names.some((name) =>
    /(^|\/)model-parameters\/|edge-impulse-sdk\//.test(name),
  );
  if (model === undefined) {
    const source = firstOf(MODEL_SOURCES, names);
    if (source !== undefined) return openLibrary(zip, names, source, scratch);
    throw withoutModel(zip, names, edgeImpulse);
  }
  const shards = /model\.json$/i.test(model)
    ? names.filter((name) => SHARD.test(name) && folderOf(name) === folderOf(model))
    : [];
  const labels = labelFile(names, folderOf(model));
  const wanted = [model, ...shards, ...(labels === undefined ? [] : [labels])];
  const members = wanted.map((path) => ({ path, file: join(scratch, basename(path)) }));
  await extractMembers({ archive: zip, kind: 'zip', members });
  const found = labels === undefined ? null : join(scratch, basename(labels));
  const teachable = found !== null && (await isTeachable(model, found));
  return {
    file: join(scratch, basename(model)),
    labels: found === null ? null : await labelsIn(found),
    maker: edgeImpulse ? 'edge-impulse' : teachable ? 'teachable-machine' : null,
  };
}

/** Edge Impulse's C++ library, which holds the model as an array of a source. */
async function openLibrary(
  zip: string,
  names: readonly string[],
  source: string,
  scratch: string,
): Promise<Bundle> {
  const sources = names.filter((name) => MODEL_SOURCES.some((pattern) => pattern.test(name)));
  const labels = firstOf(LABEL_FILES, names);
  const wanted = [...sources, ...(labels === undefined ? [] : [labels])];
  const members = wanted.map((path) => ({ path, file: join(scratch, basename(path)) }));
  await extractMembers({ archive: zip, kind: 'zip', members });
  for (const path of sources) {
    const model = modelInSource(await readFile(join(scratch, basename(path)), 'latin1'));
    if (model === null) continue;
    const file = join(scratch, `${basename(path, extname(path))}.tflite`);
    await writeFile(file, model);
    return {
      file,
      labels: labels === undefined ? null : await labelsIn(join(scratch, basename(labels))),
      maker: 'edge-impulse',
    };
  }
  throw withoutModel(zip, [source], true);
}

/** The model of a zip. @throws MND_MODEL_FORMAT for several of which none is the usual one */
function onlyModel(zip: string, names: readonly string[]): string | undefined {
  const pattern = MODELS.find((own) => names.some((name) => own.test(name)));
  const models = names.filter((name) => pattern?.test(name));
  if (models.length < 2) return models[0];
  throw codedError('MND_MODEL_FORMAT', {
    subject: zip,
    expected: 'a zip with one model in it',
    found: `${models.length}: ${models.slice(0, 3).join(', ')}`,
    next: 'unpack it, and give the one that you mean',
  });
}

/** The file that names the classes: in the folder of the model, or the only one there is. */
function labelFile(names: readonly string[], folder: string): string | undefined {
  const near = names.filter((name) => folderOf(name) === folder);
  const beside = firstOf(LABEL_FILES, near);
  if (beside !== undefined) return beside;
  const first = firstOf(LABEL_FILES, names);
  const alike = names.filter((name) => basename(name) === basename(first ?? ''));
  return alike.length === 1 ? first : undefined;
}

/** Whether this is Teachable Machine's, whose float networks see pictures in [−1, 1]. */
async function isTeachable(model: string, labels: string): Promise<boolean> {
  if (/^model_unquant\.tflite$/i.test(basename(model))) return true;
  if (!/\.json$/i.test(labels)) return false;
  return /"tmVersion"|teachablemachine/.test(await readFile(labels, 'utf8'));
}

/** The name that fits the earliest pattern. */
function firstOf(patterns: readonly RegExp[], names: readonly string[]): string | undefined {
  return patterns.flatMap((pattern) => names.filter((name) => pattern.test(name)))[0];
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

/** Files that name the classes, the surest first. */
const LABEL_FILES = [
  /(^|\/)labels?\.txt$/i,
  /(^|\/)metadata\.json$/i,
  /(^|\/)model_variables\.h$/i,
  /(^|\/)label_?map\.(txt|pbtxt)$/i,
];

async function labelsIn(file: string): Promise<readonly string[] | null> {
  const bytes = await readFile(file);
  // Others describe something else in a file of this name.
  if (/\.json$/i.test(file) && !/"labels"\s*:/.test(bytes.toString('utf8'))) return null;
  if (!file.endsWith('.h')) return parseLabels(bytes, basename(file));
  return labelsInHeader(bytes.toString('utf8'));
}

async function namesIn(file: string): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    const zip = await yauzl.openPromise(file, { strictFileNames: true, autoClose: false });
    try {
      for await (const entry of zip.eachEntry()) {
        if (!HIDDEN.test(entry.fileName)) names.push(entry.fileName);
        if (names.length > MAX_ENTRIES) break;
      }
    } finally {
      zip.close();
    }
  } catch (error) {
    throw codedError('MND_ARCHIVE_INVALID', { subject: file, found: messageOf(error) });
  }
  return names;
}

function withoutModel(zip: string, names: readonly string[], edgeImpulse: boolean): Error {
  const stranger = STRANGERS.find(([pattern]) => names.some((name) => pattern.test(name)));
  if (stranger !== undefined) {
    const [, found, next] = stranger;
    return codedError('MND_MODEL_FORMAT', { subject: zip, found, next });
  }
  return codedError('MND_MODEL_FORMAT', {
    subject: zip,
    expected: 'a zip with a .tflite, an .onnx or a model.json in it',
    found: edgeImpulse
      ? 'an Edge Impulse library whose network is compiled into its source'
      : `${names.length} other files`,
    next: edgeImpulse
      ? 'download "TensorFlow Lite (int8 quantized)" from the dashboard, or build the library without the EON compiler'
      : 'give the model itself',
  });
}

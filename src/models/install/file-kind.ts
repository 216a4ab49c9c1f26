import { open } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { codedError } from '../../errors.js';
import { inputFailed } from '../../input-file.js';

/** What a file is that somebody takes for a model. */
export type FileKind = 'tflite' | 'onnx' | 'json' | 'zip';

/** A kind of file that is no model for this program, and what to do with it. */
interface Stranger {
  /** For people, after "found". */
  readonly what: string;
  readonly next: string;
  readonly is: (head: Buffer, extension: string, name: string) => boolean;
}

const HEAD_BYTES = 4096;

const startsWith = (head: Buffer, ...bytes: readonly number[]) =>
  bytes.every((byte, at) => head[at] === byte);
const text = (head: Buffer) => head.toString('latin1');

const KERAS =
  'convert it in Python: tf.lite.TFLiteConverter.from_keras_model(keras.models.load_model(FILE)).convert()';

/** Looked through in order: what the bytes say comes before what the name says. */
const STRANGERS: readonly Stranger[] = [
  {
    what: 'an empty file',
    next: 'fetch it again',
    is: (head) => head.length === 0,
  },
  {
    what: 'a Git LFS pointer, not the file itself',
    next: 'fetch it with: git lfs pull, or by the download button of its page',
    is: (head) => text(head).startsWith('version https://git-lfs.github.com/spec/'),
  },
  {
    what: 'an HTML page',
    next: 'fetch the file itself: on GitHub by "Raw", elsewhere by the download button',
    is: (head) =>
      /^\s*(<!doctype html|<html|<head|<\?xml[^>]*>\s*<!doctype html)/i.test(text(head)),
  },
  {
    what: 'a Keras model in HDF5 (.h5)',
    next: KERAS,
    is: (head) => startsWith(head, 0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a),
  },
  {
    what: 'an Edge Impulse Linux executable (.eim)',
    next: 'export "TensorFlow Lite (int8 quantized)" or the C++ library from the dashboard instead',
    is: (head, extension) => startsWith(head, 0x7f, 0x45, 0x4c, 0x46) || extension === '.eim',
  },
  {
    what: 'a compressed archive',
    next: 'unpack it and give the model in it',
    is: (head, extension) =>
      startsWith(head, 0x1f, 0x8b) || startsWith(head, 0x37, 0x7a) || extension === '.tar',
  },
  {
    what: 'a PyTorch file',
    next: 'export it to ONNX in Python: torch.onnx.export(model, torch.zeros(1, 3, SIZE, SIZE), "model.onnx")',
    is: (head, extension) =>
      startsWith(head, 0x80, 0x02, 0x8a) || ['.pt', '.pth', '.ckpt'].includes(extension),
  },
  {
    what: 'a TensorFlow graph or SavedModel (.pb)',
    next: 'convert it in Python: tf.lite.TFLiteConverter.from_saved_model(FOLDER).convert()',
    is: (_, extension) => extension === '.pb' || extension === '.pbtxt',
  },
  {
    what: 'a Keras model (.keras)',
    next: KERAS,
    is: (_, extension) => extension === '.keras',
  },
  {
    what: 'a model compiled for another accelerator or framework',
    next: 'take the TensorFlow Lite or ONNX file that it was made from',
    is: (head, extension) =>
      [
        '.hef',
        '.engine',
        '.plan',
        '.rknn',
        '.blob',
        '.mlmodel',
        '.mlpackage',
        '.param',
        '.tmfile',
        '.dlc',
        '.xml',
      ].includes(extension) || text(head).startsWith('7767517'),
  },
  {
    what: 'a picture',
    next: 'try a model on pictures with: mobilenetd classify',
    is: (head) => startsWith(head, 0xff, 0xd8, 0xff) || startsWith(head, 0x89, 0x50, 0x4e, 0x47),
  },
  {
    what: 'weights without their network (.safetensors)',
    next: 'of a ladder of training/train.py give the whole folder: mobilenetd models add FOLDER --ladder',
    is: (_, extension) => extension === '.safetensors',
  },
  {
    what: 'weights without their network (.bin)',
    next: 'give the model.json that belongs to them',
    is: (_, extension) => extension === '.bin' || extension === '.weights',
  },
];

/**
 * Tells what a file is by its first bytes, then by its name.
 *
 * @throws MND_INPUT_MISSING; MND_MODEL_FORMAT for what is no model that can be read, with what to do
 */
export async function kindOf(file: string): Promise<FileKind> {
  const head = await readHead(file);
  const name = basename(file).toLowerCase();
  const extension = extname(name);
  if (head.subarray(4, 8).toString('latin1') === 'TFL3') {
    if (name.includes('edgetpu')) throw forEdgeTpu(file);
    return 'tflite';
  }
  const stranger = STRANGERS.find(({ is }) => is(head, extension, name));
  if (stranger !== undefined) {
    const { what, next } = stranger;
    throw codedError('MND_MODEL_FORMAT', { subject: file, found: what, next });
  }
  if (startsWith(head, 0x50, 0x4b, 0x03, 0x04)) return 'zip';
  if (extension === '.onnx') return 'onnx';
  if (extension === '.json' || /^\s*[{[]/.test(text(head))) return 'json';
  if (['.tflite', '.lite'].includes(extension)) return 'tflite';
  // ONNX files begin with the version of their format, a small number in field 1.
  if (head[0] === 0x08 && (head[1] ?? 255) < 20) return 'onnx';
  throw codedError('MND_MODEL_FORMAT', {
    subject: file,
    expected: 'a .tflite, an .onnx, a TensorFlow.js model.json, or a zip with one of them',
    found: 'another file',
  });
}

/** The error for a file that only Google's accelerator can run. */
function forEdgeTpu(file: string): Error {
  return codedError('MND_MODEL_FORMAT', {
    subject: file,
    found: 'a model compiled for the Edge TPU (edgetpu-custom-op)',
    next: 'take the .tflite that it was compiled from: the one without _edgetpu in its name',
  });
}

async function readHead(file: string): Promise<Buffer> {
  try {
    const handle = await open(file);
    try {
      const head = Buffer.alloc(HEAD_BYTES);
      const { bytesRead } = await handle.read(head, 0, HEAD_BYTES, 0);
      return head.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw inputFailed(file, 'a model', error);
  }
}

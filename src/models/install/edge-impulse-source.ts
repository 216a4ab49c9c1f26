/** Files of a C++ library that hold a whole .tflite file as an array of bytes (no EON compiler). */
export const MODEL_SOURCES = [
  /(^|\/)tflite-model\/(trained_tflite|tflite_learn_\d+\w*|tflite-trained)\.(cpp|h)$/i,
  /(^|\/)tflite-model\/[\w-]*tflite[\w-]*\.(cpp|h)$/i,
];

/** How the array of the model's bytes begins. */
const ARRAY = /unsigned\s+char\s+\w+\s*\[\s*\d*\s*\][^={;]*=\s*\{/g;

/** TensorFlow Lite's mark, behind the first offset. */
const MARK = 'TFL3';

/**
 * The .tflite file that a source of Edge Impulse's C++ library holds as an array of bytes; null if there
 * is none: a network that was compiled (EON) is in its functions.
 */
export function modelInSource(source: string): Uint8Array | null {
  for (const match of source.matchAll(ARRAY)) {
    const start = match.index + match[0].length;
    const end = source.indexOf('}', start);
    if (end < 0) continue;
    const bytes = bytesIn(source.slice(start, end));
    if (bytes !== null && Buffer.from(bytes.subarray(4, 8)).toString('latin1') === MARK) {
      return bytes;
    }
  }
  return null;
}

/** Numbers from 0 to 255, decimal or hexadecimal; null for anything else. */
function bytesIn(list: string): Uint8Array | null {
  const bytes = new Uint8Array(Math.ceil(list.length / 2));
  let count = 0;
  for (const [text] of list.matchAll(/[^\s,]+/g)) {
    const value = /^(0x[0-9a-f]{1,2}|\d{1,3})$/i.test(text) ? Number(text) : Number.NaN;
    if (!(value <= 255)) return null;
    bytes[count] = value;
    count += 1;
  }
  return bytes.subarray(0, count);
}

/** The classes that `model_variables.h` lists, as strings of C; null if it lists none. */
export function labelsInHeader(header: string): readonly string[] | null {
  const [, list] = /inferencing_categories\w*\[\]\s*=\s*\{([^}]*)\}/.exec(header) ?? [];
  const labels = [...(list ?? '').matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, label = '']) =>
    label.replace(/\\(.)/g, '$1'),
  );
  return labels.length === 0 ? null : labels;
}

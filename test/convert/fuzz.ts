import { convertTflite } from '#mobilenetd/convert/convert.js';
import { isCodedError } from '#mobilenetd/errors.js';
import { createRandom, randomPicture } from './random.js';
import { openOnnx } from './session.js';

const NUMBERS = [
  0, 1, 2, 4, 8, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
];

type Random = (below: number) => number;

type Mutation = (file: Uint8Array, random: Random) => Uint8Array;

const at = (file: Uint8Array, random: Random, width: number) =>
  random(Math.max(1, file.length - width + 1));

const view = (file: Uint8Array) => new DataView(file.buffer, file.byteOffset, file.byteLength);

const MUTATIONS: readonly Mutation[] = [
  (file, random) => {
    const position = at(file, random, 1);
    file[position] = (file[position] ?? 0) ^ (1 << random(8));
    return file;
  },
  (file, random) => {
    file[at(file, random, 1)] = random(256);
    return file;
  },
  (file, random) => {
    if (file.length < 4) return file;
    view(file).setUint32(at(file, random, 4), NUMBERS[random(NUMBERS.length)] ?? 0, true);
    return file;
  },
  (file, random) => {
    if (file.length < 4) return file;
    const position = at(file, random, 4) & ~3;
    if (position + 4 > file.length) return file;
    const number = view(file).getInt32(position, true) + random(33) - 16;
    view(file).setInt32(position, number, true);
    return file;
  },
  (file, random) => {
    const length = random(64);
    file.copyWithin(at(file, random, length), at(file, random, length), random(file.length));
    return file;
  },
  (file, random) => file.subarray(0, random(file.length)),
  (file, random) => {
    file.fill(random(2) * 255, at(file, random, 1), at(file, random, 1));
    return file;
  },
];

/** A damaged copy of a file: one to four mutations, nearly always one that leaves its length. */
export function mutate(file: Uint8Array, random: Random): Uint8Array {
  let copy: Uint8Array = new Uint8Array(file);
  for (let count = 1 + random(4); count > 0; count -= 1) {
    const mutation = MUTATIONS[random(8) === 0 ? random(MUTATIONS.length) : random(4)];
    if (mutation !== undefined) copy = mutation(copy, random);
  }
  return copy;
}

export interface FuzzResult {
  readonly refused: Map<string, number>;
  readonly converted: number;
  /** Files that ended in anything but a coded error or a model that runs. */
  readonly failures: readonly string[];
  readonly slowest: number;
  /** Most memory one conversion took beyond four times its file, bytes. */
  readonly excess: number;
}

const FORMS = ['exact', 'symmetric', 'reduced', 'float32'] as const;

/** Runs a model that a damaged file became; damage may have made it too large to be worth it. */
async function runs(file: Uint8Array, form: (typeof FORMS)[number]): Promise<void> {
  const { onnx, input, head, report } = convertTflite(file, { form });
  const [size = 0] = input.sizes;
  if (size > 512 || (report.multAdds ?? 0) > 100) return;
  const model = await openOnnx(onnx);
  const outputs = await model.run(randomPicture(size, 1), size, size);
  await model.close();
  const wanted =
    head.kind === 'classifier'
      ? [head.logits.name]
      : head.layers.flatMap(({ boxes, scores }) => [boxes.name, scores.name]);
  const missing = wanted.filter((name) => outputs[name] === undefined);
  if (missing.length > 0) throw new Error(`no output ${missing.join(', ')}`);
}

/** Converts `count` damaged copies of the files in turn; the same seed gives the same copies. */
export async function fuzz(
  files: readonly Uint8Array[],
  count: number,
  seed: number,
): Promise<FuzzResult> {
  const random = createRandom(seed);
  const refused = new Map<string, number>();
  const failures: string[] = [];
  let converted = 0;
  let slowest = 0;
  let excess = 0;
  for (let index = 0; index < count; index += 1) {
    const file = mutate(files[index % files.length] ?? new Uint8Array(), random);
    const form = FORMS[random(FORMS.length)] ?? 'exact';
    const before = process.memoryUsage();
    const start = performance.now();
    try {
      convertTflite(file, { form });
      converted += 1;
      await runs(file, form);
    } catch (error) {
      if (isCodedError(error) && error.code.startsWith('MND_MODEL_')) {
        refused.set(error.code, (refused.get(error.code) ?? 0) + 1);
      } else {
        failures.push(`file ${index} as ${form}: ${String(error).slice(0, 300)}`);
      }
    }
    slowest = Math.max(slowest, performance.now() - start);
    const after = process.memoryUsage();
    const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    excess = Math.max(excess, grown - 4 * file.length);
  }
  return { refused, converted, failures, slowest, excess };
}

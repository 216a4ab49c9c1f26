import type { ConvertedModel } from '#mobilenetd/convert/converted-model.js';
import { isCodedError } from '#mobilenetd/errors.js';
import { outputsOf, sidesOf } from '#mobilenetd/models/variant.js';
import { createRandom, randomPicture } from '../random.js';
import { openOnnx } from '../session.js';
import type { Sample, Target } from './targets.js';

export interface FuzzResult {
  readonly target: string;
  readonly count: number;
  readonly seed: number;
  /** Refusals by code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Inputs that were read in spite of the damage, and of these the models that were run. */
  readonly read: number;
  readonly run: number;
  /** Inputs that ended in anything but a coded error or a model that runs. */
  readonly failures: readonly string[];
  /** CPU time of the slowest reading and conversion, milliseconds. */
  readonly slowestMs: number;
  /** Most memory that one reading took beyond {@link FACTOR} times its input, bytes. */
  readonly excessBytes: number;
}

/** Memory may grow by this many times the size of the input while it is read. */
const FACTOR = 4;

/** What any reading takes: the operators as objects, errors with their stacks, compiled code. */
export const ALLOWANCE = 2 ** 21;

/** One model of so many is run: making a session takes longer than everything before. */
const RUN_EVERY = 4;

/** Damage may make a model too large to be worth running. */
const MOST_MULT_ADDS = 50;
const MOST_SIDE = 512;

function memoryUsed(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

interface Reading {
  readonly write: ReturnType<Sample['read']>;
  readonly error: unknown;
  readonly grown: number;
}

function readOnce({ read }: Sample): Reading {
  const before = memoryUsed();
  try {
    const write = read();
    return { write, error: null, grown: memoryUsed() - before };
  } catch (error) {
    return { write: null, error, grown: memoryUsed() - before };
  }
}

function excessOf(sample: Sample, { grown }: Reading): number {
  const excess = grown - FACTOR * sample.bytes;
  if (excess <= ALLOWANCE) return excess;
  // Garbage of what ran before may be counted in: once more, after it was collected.
  globalThis.gc?.();
  return readOnce(sample).grown - FACTOR * sample.bytes;
}

/** Milliseconds of CPU time of this process. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function runModel({ onnx, input, head, report }: ConvertedModel): Promise<boolean> {
  const size = input.sizes.at(-1) ?? 0;
  const [height, width] = sidesOf(input, size);
  if (size > MOST_SIDE || (report.multAdds ?? 0) > MOST_MULT_ADDS) return false;
  const model = await openOnnx(onnx);
  try {
    const outputs = await model.run(randomPicture(height, 1, width), height, width);
    const wanted = outputsOf(head).map(({ name }) => name);
    const missing = wanted.filter((name) => outputs[name] === undefined);
    if (missing.length > 0) throw new Error(`no output ${missing.join(', ')}`);
    return true;
  } finally {
    await model.close();
  }
}

/** Whether what a form was made of runs, which its form must then as well. */
async function runs(madeOf: Sample['madeOf']): Promise<boolean> {
  if (madeOf === undefined) return false;
  return runModel(madeOf()).catch(() => false);
}

/**
 * Reads `count` damaged inputs and runs the models that still come out; the same seed gives the same
 * inputs. With `node --expose-gc` memory is measured more exactly.
 */
export async function fuzz(target: Target, count: number, seed: number): Promise<FuzzResult> {
  const random = createRandom(seed);
  const refused: Record<string, number> = {};
  const failures: string[] = [];
  let [read, run, slowestMs, excessBytes] = [0, 0, 0, 0];
  const refuse = (code: string) => {
    refused[code] = (refused[code] ?? 0) + 1;
  };
  const inputs = Math.ceil(count / (target.cost ?? 1));
  for (let index = 0; index < inputs; index += 1) {
    const sample = target.sample(random);
    const start = cpuTime();
    const reading = readOnce(sample);
    let { error } = reading;
    let model: ConvertedModel | null = null;
    try {
      model = (await reading.write?.()) ?? null;
    } catch (thrown) {
      error = thrown;
    }
    slowestMs = Math.max(slowestMs, cpuTime() - start);
    excessBytes = Math.max(excessBytes, excessOf(sample, reading));
    if (error !== null) {
      if (isCodedError(error) && target.codes.test(error.code)) refuse(error.code);
      else failures.push(`${target.name} ${index}: ${String(error).slice(0, 300)}`);
      continue;
    }
    read += 1;
    try {
      if (model !== null && read % RUN_EVERY === 0 && (await runModel(model))) run += 1;
    } catch (failure) {
      if (target.runtimeMayRefuse && !(await runs(sample.madeOf))) refuse('MND_MODEL_VERIFY');
      else failures.push(`${target.name} ${index} does not run: ${String(failure).slice(0, 300)}`);
    }
  }
  return {
    target: target.name,
    count: inputs,
    seed,
    refused,
    read,
    run,
    failures,
    slowestMs,
    excessBytes,
  };
}

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import vm from 'node:vm';
import type { TypedArray } from '@litertjs/core';
import { ByteBuffer } from 'flatbuffers';

export type Values = Uint8Array | Int8Array | Float32Array;

/** A .tflite file as Google's own runtime runs it. */
export interface OracleModel {
  /** The first output. */
  run(input: Values, shape: readonly number[]): Promise<Values>;
  runAll(input: Values, shape: readonly number[]): Promise<Values[]>;
  close(): void;
}

type LiteRt = typeof import('@litertjs/core');

let loading: Promise<LiteRt> | null = null;

const require = createRequire(import.meta.url);

/** The loader script is made for browsers: a classic script that finds its .wasm file by URL. */
function importScript(path: string): void {
  const script = `${readFileSync(path, 'utf8')}\nglobalThis.ModuleFactory = ModuleFactory;`;
  const parameters = ['require', '__dirname', '__filename'];
  const run = vm.compileFunction(script, parameters, { filename: path });
  run(require, dirname(path), path);
}

async function load(): Promise<LiteRt> {
  // What a browser has and LiteRT.js looks for.
  Object.assign(globalThis, { self: globalThis, importScripts: importScript });
  if (!('navigator' in globalThis)) {
    Object.assign(globalThis, { navigator: { hardwareConcurrency: 1, userAgent: 'node' } });
  }
  const litert = await import('@litertjs/core');
  const folder = join(dirname(require.resolve('@litertjs/core/package.json')), 'wasm');
  // It tells of its accelerators on stderr; that would hide a test's own words.
  Object.assign(globalThis, { Module: { print: () => {}, printErr: () => {} } });
  // A machine without WebGPU is no news.
  const { warn } = console;
  console.warn = () => {};
  await litert.loadLiteRt(join(folder, 'litert_wasm_compat_internal.js'));
  console.warn = warn;
  return litert;
}

/** Loads a .tflite file into LiteRT.js, an independent implementation of TensorFlow Lite. */
export async function openOracle(tflite: Uint8Array): Promise<OracleModel> {
  loading ??= load();
  const { loadAndCompile, Tensor } = await loading;
  const model = await loadAndCompile(tflite, { accelerator: 'wasm' });
  const runAll = async (input: Values, shape: readonly number[]) => {
    const tensor = new Tensor(input.slice() as TypedArray, [...shape]);
    const copies: Values[] = [];
    for (const output of await model.run(tensor)) {
      copies.push(((await output.data()) as Values).slice());
      output.delete();
    }
    tensor.delete();
    return copies;
  };
  return {
    runAll,
    async run(input, shape) {
      const [output] = await runAll(input, shape);
      if (output === undefined) throw new Error('the oracle has no output');
      return output;
    },
    close: () => model.delete(),
  };
}

/** Position of a table's field in a trusted flatbuffer. */
function fieldPosition(buffer: ByteBuffer, table: number, field: number): number {
  return table + buffer.__offset(table, 4 + 2 * field);
}

/**
 * A copy of a .tflite file whose output is the input of its last operator: the logits, where the
 * last operator is SOFTMAX.
 */
export function withoutLastOperator(tflite: Uint8Array): Uint8Array {
  const copy = new Uint8Array(tflite);
  const buffer = new ByteBuffer(copy);
  const element = (vectorField: number, index: number) => {
    const at =
      buffer.__vector(vectorField) +
      4 * (index < 0 ? buffer.__vector_len(vectorField) + index : index);
    return at;
  };
  const model = buffer.readInt32(0);
  const subgraph = buffer.__indirect(element(fieldPosition(buffer, model, 2), 0));
  const last = buffer.__indirect(element(fieldPosition(buffer, subgraph, 3), -1));
  const input = buffer.readInt32(element(fieldPosition(buffer, last, 1), 0));
  buffer.writeInt32(element(fieldPosition(buffer, subgraph, 2), 0), input);
  return copy;
}

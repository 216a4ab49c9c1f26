import { existsSync, readFileSync } from 'node:fs';
import type { InferenceSession } from 'onnxruntime-node';

process.env.ORT_DISABLE_TELEMETRY = '1';

const { default: ort } = await import('onnxruntime-node');

/**
 * x64 processors without VNNI saturate sums of uint8 · int8 pairs; this option makes onnxruntime use
 * uint8 weights there. ARM and newer x64 need nothing.
 */
function quantPrecision(): '0' | '1' {
  if (process.arch !== 'x64' || !existsSync('/proc/cpuinfo')) return '0';
  return readFileSync('/proc/cpuinfo', 'utf8').includes('vnni') ? '0' : '1';
}

const OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
  extra: {
    session: {
      intra_op: { allow_spinning: '0' },
      inter_op: { allow_spinning: '0' },
      x64quantprecision: quantPrecision(),
    },
  },
};

export interface OnnxOutput {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: Uint8Array | Float32Array;
}

export interface OnnxModel {
  /** Runs one uint8 picture [1, height, width, 3] through the model. */
  run(picture: Uint8Array, height: number, width: number): Promise<Record<string, OnnxOutput>>;
  close(): Promise<void>;
}

/** Loads an ONNX file as the daemon does: one thread, all optimizations. */
export async function openOnnx(file: Uint8Array): Promise<OnnxModel> {
  const session = await ort.InferenceSession.create(file, OPTIONS);
  return {
    async run(picture, height, width) {
      const input = new ort.Tensor('uint8', picture, [1, height, width, 3]);
      const results = await session.run({ [session.inputNames[0] ?? 'input']: input });
      return Object.fromEntries(
        Object.entries(results).map(([name, { type, dims, data }]) => {
          if (!(data instanceof Uint8Array || data instanceof Float32Array)) {
            throw new Error(`output ${name} is ${type}`);
          }
          return [name, { type, dims, data }];
        }),
      );
    },
    close: () => session.release(),
  };
}

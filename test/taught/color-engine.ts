import sharp from 'sharp';
import { codedError } from '#mobilenetd/errors.js';
import type { Engine } from '#mobilenetd/inference/engine.js';
import type { Variant } from '#mobilenetd/models/variant.js';

/** An engine whose embedding of a picture is the colours of its 4 × 4 parts. */
export function colorEngine(): { readonly engine: Engine; readonly runs: string[] } {
  const runs: string[] = [];
  let loaded: string[] = [];
  const engine: Engine = {
    async load({ name }) {
      loaded = [...new Set([...loaded, name])];
      return { ms: 1 };
    },
    async run(name, frame) {
      runs.push(name);
      const { data } = await sharp(frame.bytes)
        .resize(4, 4, { fit: 'fill' })
        .raw()
        .toBuffer({ resolveWithObject: true })
        .catch((cause: unknown) => {
          throw codedError('MND_IMAGE_INVALID', { cause });
        });
      return {
        camera: frame.camera,
        sequence: 1,
        capturedAt: 0,
        time: 0,
        model: name,
        alpha: null,
        size: 4,
        timings: { decode: 0, preprocess: 0, inference: 0, postprocess: 0 },
        labels: [],
        embedding: Float32Array.from(data, (value) => value / 255),
      };
    },
    async release(name) {
      loaded = loaded.filter((other) => other !== name);
    },
    loaded: () => loaded,
    profile: async () => ({ medianMs: 1, minMs: 1, cpuMs: 1, runs: 1 }),
    memory: async () => ({ rss: 0, heapUsed: 0, external: 0, arrayBuffers: 0, sessions: 0 }),
    async close() {},
  };
  return { engine, runs };
}

export function variantNamed(name: string): Variant {
  return {
    name,
    model: name,
    family: 'own',
    task: 'classify',
    alpha: null,
    size: 4,
    form: 'float32',
    file: `/models/${name}.onnx`,
    sha256: name.padEnd(64, '0'),
    input: { name: 'input', sizes: [4] },
    head: {
      kind: 'classifier',
      classes: 2,
      logits: { name: 'logits', type: 'float32', scale: 1, zeroPoint: 0 },
    },
    preprocessing: { centralCrop: 1 },
    labels: ['a', 'b'],
    accuracy: { top1: null, top5: null, map: null },
    multAdds: null,
  };
}

/** A picture: a rectangle of one colour on another, by four numbers. */
export function drawn(
  [r, g, b]: readonly [number, number, number],
  at: number,
  size = 200,
): Promise<Buffer> {
  const half = Math.round(size / 2);
  const left = (at % 2) * half;
  const top = Math.floor(at / 2) * half;
  const spot = {
    create: { width: half, height: half, channels: 3, background: { r, g, b } },
  } as const;
  return sharp({ create: { width: size, height: size, channels: 3, background: '#202428' } })
    .composite([{ input: spot, left, top }])
    .jpeg()
    .toBuffer();
}

// Runs ONNX models on pseudo-random pictures and prints every output, the same way on every
// machine: node logits.mjs NODE_MODULES JSON, where JSON has models [{name, file, size}] and pictures [0 to 3].
import { createRequire } from 'node:module';
import { join } from 'node:path';

process.env.ORT_DISABLE_TELEMETRY = '1';
const [modules, tasks] = process.argv.slice(2);
const ort = createRequire(join(modules, 'index.js'))('onnxruntime-node');
/** A 32-bit xorshift generator (Marsaglia 2003). */
function createRandom(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Noise in squares of 1, 4, 16 or 64 pixels: flat areas and edges, since kernels round in different places. */
function picture(size, index) {
  const random = createRandom(0x9e3779b9 + index);
  const pixels = new Uint8Array(size * size * 3);
  const cell = 1 << (index * 2);
  for (let y = 0; y < size; y += cell) {
    for (let x = 0; x < size; x += cell) {
      const colour = [random() & 255, random() & 255, random() & 255];
      for (let dy = 0; dy < cell && y + dy < size; dy += 1) {
        for (let dx = 0; dx < cell && x + dx < size; dx += 1) {
          pixels.set(colour, ((y + dy) * size + x + dx) * 3);
        }
      }
    }
  }
  return pixels;
}

const threads = { intraOpNumThreads: 1, interOpNumThreads: 1 };
const { models, pictures } = JSON.parse(tasks);
for (const { name, file, size } of models) {
  const session = await ort.InferenceSession.create(file, {
    ...threads,
    logSeverityLevel: 3,
    // Exact sums on x64 without VNNI; arm64 has no such option and no such need.
    ...(process.arch === 'x64' && { extra: { session: { x64quantprecision: '1' } } }),
  });
  for (const index of pictures) {
    const input = new ort.Tensor('uint8', picture(size, index), [1, size, size, 3]);
    const outputs = await session.run({ [session.inputNames[0]]: input });
    for (const output of session.outputNames) {
      const { type, data } = outputs[output];
      const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
      const line = { model: name, picture: index, output, type, bytes };
      process.stdout.write(`${JSON.stringify(line)}\n`);
    }
  }
  await session.release();
}

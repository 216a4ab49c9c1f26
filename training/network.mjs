// What the scripts that run a network over pictures share.
import { readFileSync } from 'node:fs';
import ort from 'onnxruntime-node';
import { readTflite } from '../dist/convert/convert.js';
import { writeOnnx } from '../dist/convert/onnx/write.js';
import { symmetricWeights } from '../dist/convert/passes/symmetric.js';

/** The graph of a quantized .tflite file, with weights that are symmetric. */
export function readGraph(file) {
  return symmetricWeights(readTflite(readFileSync(file)).graph, false).graph;
}

/**
 * Runs a graph over pictures of `size` × `size` RGB bytes on standard input, on one thread.
 *
 * @yields the graph's results for each picture, by name
 */
export async function* resultsOf(graph, size) {
  const session = await ort.InferenceSession.create(writeOnnx(graph), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  const pixels = new Uint8Array(size * size * 3);
  let filled = 0;
  for await (const chunk of process.stdin) {
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(chunk.length - at, pixels.length - filled);
      pixels.set(chunk.subarray(at, at + taken), filled);
      at += taken;
      filled += taken;
      if (filled < pixels.length) continue;
      filled = 0;
      const input = new ort.Tensor('uint8', pixels, [1, size, size, 3]);
      yield await session.run({ [graph.inputs[0]]: input });
    }
  }
}

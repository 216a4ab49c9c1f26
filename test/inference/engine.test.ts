import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { type EngineOptions, startEngine } from '#mobilenetd/inference/engine.js';
import type { Variant } from '#mobilenetd/models/variant.js';
import { classifierVariant, colourClassifier, detectorVariant } from './tiny-models.js';

const folder = await mkdtemp(join(tmpdir(), 'mobilenetd-engine-'));
t.teardown(() => rm(folder, { recursive: true }));

const RUN = { topK: 3, threshold: 0.5 };

function rgbFrame(
  width: number,
  height: number,
  colour: (x: number, y: number) => readonly number[],
  changes: Partial<Frame> = {},
): Frame {
  const bytes = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i += 1) {
    bytes.set(colour(i % width, Math.floor(i / width)), i * 3);
  }
  return {
    sequence: 7,
    camera: 'front',
    capturedAt: 12.5,
    time: 1_700_000_000_000,
    width,
    height,
    format: 'rgb24',
    range: 'full',
    bytes,
    ...changes,
  };
}

const teal = rgbFrame(6, 5, () => [10, 100, 120]);

async function start(t: Test, options: Partial<EngineOptions> = {}) {
  const engine = await startEngine({ threads: 1, ...options });
  t.teardown(() => engine.close());
  return engine;
}

t.test('a frame becomes labels', async (t) => {
  const engine = await start(t);
  t.same(engine.loaded(), []);
  const { ms } = await engine.load(await classifierVariant(folder, 'colours'));
  t.ok(ms > 0);
  t.same(engine.loaded(), ['colours']);

  const result = await engine.run('colours', teal, { ...RUN, topK: 2 });
  const { timings, labels, ...rest } = result;
  t.same(rest, {
    camera: 'front',
    sequence: 7,
    capturedAt: 12.5,
    time: 1_700_000_000_000,
    model: 'colours',
    alpha: 0.25,
    size: 4,
  });
  // Softmax of 0.1 · [10, 100, 120].
  const sum = Math.exp(1) + Math.exp(10) + Math.exp(12);
  t.match(labels, [
    { index: 2, label: 'blue', box: null },
    { index: 1, label: 'green', box: null },
  ]);
  t.equal(labels.length, 2);
  t.ok(Math.abs((labels[0]?.score ?? 0) - Math.exp(12) / sum) < 1e-9);
  t.ok(Math.abs((labels[1]?.score ?? 0) - Math.exp(10) / sum) < 1e-9);
  t.equal(timings.decode, 0);
  t.ok(timings.preprocess >= 0 && timings.inference > 0 && timings.postprocess >= 0);

  const memory = await engine.memory();
  t.equal(memory.sessions, 1);
  t.ok(memory.rss > memory.heapUsed);
});

t.test('frames of every format, own and shared memory, cropped', async (t) => {
  const engine = await start(t);
  const float = { name: 'logits', type: 'float32', scale: 1, zeroPoint: 0 } as const;
  const model = colourClassifier({ type: 'float32' });
  const variant = await classifierVariant(folder, 'float', model, {
    head: { kind: 'classifier', classes: 3, logits: float },
  });
  await engine.load(variant);
  const best = async (frame: Frame, crop: readonly [number, number, number, number] | null) =>
    (await engine.run('float', frame, { ...RUN, crop })).labels[0]?.label;

  // Left half green, right half red.
  const halves = rgbFrame(8, 8, (x) => (x < 4 ? [0, 200, 0] : [210, 0, 0]));
  t.equal(await best(halves, null), 'red');
  t.equal(await best(halves, [0, 0, 4, 8]), 'green');
  t.equal(await best(halves, [4, 0, 4, 8]), 'red');
  const memory = new Uint8Array(new SharedArrayBuffer(1000), 40, halves.bytes.length);
  memory.set(halves.bytes);
  t.equal(await best({ ...halves, bytes: memory }, [0, 0, 4, 8]), 'green');

  const yuv = new Uint8Array(8 * 8 + 2 * 16).fill(128);
  yuv.fill(255, 80);
  t.equal(await best({ ...halves, format: 'yuv420p', bytes: yuv }, null), 'red');

  const sharp = (await import('sharp')).default;
  const raw = { width: 8, height: 8, channels: 3 } as const;
  const png = await sharp(halves.bytes, { raw }).png().toBuffer();
  const jpeg: Frame = { ...halves, format: 'jpeg', width: 0, height: 0, bytes: png };
  t.equal(await best(jpeg, [0, 0, 4, 8]), 'green');
  const shared = new Uint8Array(new SharedArrayBuffer(png.length));
  shared.set(png);
  const result = await engine.run('float', { ...jpeg, bytes: shared }, RUN);
  t.equal(result.labels[0]?.label, 'red');
  t.ok(result.timings.decode > 0);

  await t.rejects(best(halves, [8, 0, 4, 4]), { code: 'MND_FRAME_INVALID' });
  await t.rejects(best({ ...halves, width: 9 }, null), { code: 'MND_FRAME_INVALID' });
  await t.rejects(best({ ...jpeg, bytes: png.subarray(0, 40) }, null), {
    code: 'MND_IMAGE_INVALID',
    message: /^front: /,
  });
  t.equal(await best(halves, null), 'red', 'still serving');
});

t.test('detector sizes share a session, boxes are in frame pixels', async (t) => {
  const engine = await start(t);
  await engine.load(await detectorVariant(folder, 32));
  await engine.load(await detectorVariant(folder, 16));
  t.equal((await engine.memory()).sessions, 1);
  t.same([...engine.loaded()].sort(), ['cells_16', 'cells_32']);

  // Four pixels of the frame are one of the network's: the block is its right cell of row 1.
  const whole = rgbFrame(128, 128, (x, y) =>
    x >= 96 && y >= 32 && y < 64 ? [0, 255, 0] : [0, 0, 0],
  );
  const { labels: found, size } = await engine.run('cells_32', whole, RUN);
  t.equal(size, 32);
  t.match(found, [{ index: 1, label: 'green', box: [96, 32, 32, 32] }]);
  t.equal(found.length, 1);
  t.ok(Math.abs((found[0]?.score ?? 0) - 1 / (1 + Math.exp(-(255 - 128) / 16))) < 1e-6);

  // The same block in a crop that the network sees at 16 pixels: its lower right quarter.
  const crop = [64, 0, 64, 64] as const;
  const near = (await engine.run('cells_16', whole, { ...RUN, crop })).labels;
  t.match(near, [{ label: 'green', box: [96, 32, 32, 32] }]);
});

t.test('three sessions stay, the least recently used gives way', async (t) => {
  const engine = await start(t);
  const variants = [];
  for (const size of [4, 5, 6, 7]) {
    const model = colourClassifier({ size });
    variants.push(await classifierVariant(folder, `size${size}`, model, { size }));
  }
  const [a, b, c, d] = variants as [
    (typeof variants)[0],
    (typeof variants)[0],
    (typeof variants)[0],
    (typeof variants)[0],
  ];
  await engine.load(a);
  await engine.load(b);
  await engine.load(c);
  await engine.run('size4', teal, RUN);
  await engine.load(d);
  t.same([...engine.loaded()].sort(), ['size4', 'size6', 'size7']);
  t.equal((await engine.memory()).sessions, 3);
  await t.rejects(engine.run('size5', teal, RUN), {
    code: 'MND_INFERENCE_FAILED',
    message: /size5.*size4/,
  });
  await engine.release('size6');
  await engine.release('never there');
  t.same([...engine.loaded()].sort(), ['size4', 'size7']);
  await engine.load(a);
  t.equal((await engine.memory()).sessions, 2, 'loading again is no second session');

  // The same name with another file: the old session goes.
  const renewed = await classifierVariant(folder, 'renewed', colourClassifier({ size: 6 }), {
    name: 'size4',
    size: 6,
  });
  await engine.load(renewed);
  t.equal((await engine.memory()).sessions, 2);
  t.equal((await engine.run('size4', teal, RUN)).size, 6);
});

t.test('a model that is not what its description says is refused', async (t) => {
  const engine = await start(t);
  await engine.load(await classifierVariant(folder, 'good'));
  const sizes = colourClassifier({ size: 5 });
  const head = (name: string, classes: number, type: 'uint8' | 'float32' = 'uint8') => ({
    head: { kind: 'classifier' as const, classes, logits: { name, type, scale: 1, zeroPoint: 0 } },
  });
  const cases: [string, Promise<Variant>, { code: string; message?: RegExp }][] = [
    [
      'too few labels',
      classifierVariant(folder, 'labels', undefined, { labels: ['red', 'green'] }),
      { code: 'MND_LABELS_INVALID', message: /expected 3 labels.*found 2/ },
    ],
    [
      'another output name',
      classifierVariant(folder, 'output', undefined, head('scores', 3)),
      { code: 'MND_MODEL_MISMATCH', message: /"scores".*"logits"/ },
    ],
    [
      'another number of classes',
      classifierVariant(folder, 'classes', undefined, head('logits', 4)),
      { code: 'MND_MODEL_MISMATCH', message: /4 classes.*\[1, 3\]/ },
    ],
    [
      'another output type',
      classifierVariant(folder, 'type', undefined, head('logits', 3, 'float32')),
      { code: 'MND_MODEL_MISMATCH', message: /float32.*uint8/ },
    ],
    [
      'another input size',
      classifierVariant(folder, 'size', sizes),
      { code: 'MND_MODEL_MISMATCH', message: /\[1, 4, 4, 3\].*\[1, 5, 5, 3\]/ },
    ],
    [
      'another input name',
      classifierVariant(folder, 'input', undefined, { input: { name: 'image', sizes: [4] } }),
      { code: 'MND_MODEL_MISMATCH', message: /"image".*"picture"/ },
    ],
    [
      'a detector that is a classifier',
      detectorVariant(folder, 16).then((variant) =>
        classifierVariant(folder, 'kind', undefined, { head: variant.head }),
      ),
      { code: 'MND_MODEL_MISMATCH' },
    ],
    [
      'a detector with other strides',
      detectorVariant(folder, 16).then((variant) => {
        if (variant.head.kind !== 'ssd') throw new Error('not a detector');
        const layers = variant.head.layers.map((layer) => ({ ...layer, stride: 4 }));
        return { ...variant, head: { ...variant.head, layers } };
      }),
      { code: 'MND_MODEL_MISMATCH' },
    ],
  ];
  for (const [title, variant, error] of cases) {
    await t.rejects(engine.load(await variant), error, title);
    t.same(engine.loaded(), ['good'], 'the one before stays');
  }
  t.equal((await engine.run('good', teal, RUN)).labels[0]?.label, 'blue');
});

t.test('a damaged or missing file is refused', async (t) => {
  const engine = await start(t);
  const cut = await classifierVariant(folder, 'cut');
  await truncate(cut.file, 100);
  await t.rejects(engine.load(cut), { code: 'MND_MODEL_INVALID', message: /cut\.onnx.*sha256/ });
  const garbage = await classifierVariant(folder, 'garbage', Buffer.from('not a model at all'));
  await t.rejects(engine.load(garbage), { code: 'MND_MODEL_INVALID', message: /onnxruntime/ });
  const missing = { ...cut, file: join(folder, 'none.onnx') };
  await t.rejects(engine.load(missing), { code: 'MND_MODEL_MISSING', message: /none\.onnx/ });
  t.same(engine.loaded(), []);
});

/** A worker that does what the real one does, and `extra` on every message before it. */
async function brokenWorker(name: string, extra: string): Promise<URL> {
  const file = join(folder, `${name}.mjs`);
  const real = import.meta.resolve('#mobilenetd/inference/worker.js');
  await writeFile(
    file,
    `import { parentPort } from 'node:worker_threads';
     parentPort.on('message', (request) => { ${extra} });
     await import(${JSON.stringify(real)});`,
  );
  return pathToFileURL(file);
}

t.test('a worker that dies fails what is pending and is reported once', async (t) => {
  const deaths = {
    exits: 'if (request.kind === "run") process.exit(3);',
    throws: 'if (request.kind === "run") throw new Error("out of luck");',
  };
  const reasons = { exits: /status 3/, throws: /out of luck/ };
  for (const [name, extra] of Object.entries(deaths)) {
    const faults: Error[] = [];
    const engine = await start(t, {
      worker: await brokenWorker(name, extra),
      onFault: (error) => faults.push(error),
    });
    await engine.load(await classifierVariant(folder, 'mortal'));
    const runs = await Promise.allSettled([
      engine.run('mortal', teal, RUN),
      engine.run('mortal', teal, RUN),
      engine.memory(),
    ]);
    const message = reasons[name as keyof typeof reasons];
    for (const run of runs) {
      t.match(run, { status: 'rejected', reason: { code: 'MND_INFERENCE_CLOSED', message } });
    }
    t.equal(faults.length, 1);
    t.match(faults[0], { code: 'MND_INFERENCE_CLOSED' });
    t.same(engine.loaded(), []);
    await t.rejects(engine.run('mortal', teal, RUN), { code: 'MND_INFERENCE_CLOSED' });
    await engine.close();
  }
  const fresh = await start(t);
  await fresh.load(await classifierVariant(folder, 'mortal'));
  t.equal((await fresh.run('mortal', teal, RUN)).labels[0]?.label, 'blue', 'another one starts');
});

t.test('an onnxruntime that cannot be loaded', async (t) => {
  const file = join(folder, 'no-runtime.mjs');
  const faults: Error[] = [];
  const onFault = (error: Error) => faults.push(error);
  await writeFile(file, 'throw new Error("cannot open shared object file");');
  await t.rejects(startEngine({ threads: 1, worker: pathToFileURL(file), onFault }), {
    code: 'MND_INFERENCE_FAILED',
    message: /onnxruntime.*shared object/,
  });
  t.same(faults, [], 'the caller has been told already');
  await t.rejects(startEngine({ threads: 0 }), { code: 'MND_INTERNAL' });
  await t.rejects(startEngine({ threads: 1.5 }), { code: 'MND_INTERNAL' });
});

t.test('closing answers what was asked before', async (t) => {
  const faults: Error[] = [];
  const engine = await start(t, { onFault: (error) => faults.push(error) });
  await engine.load(await classifierVariant(folder, 'last'));
  const runs = Array.from({ length: 5 }, () => engine.run('last', teal, RUN));
  const closed = engine.close();
  await t.rejects(engine.run('last', teal, RUN), { code: 'MND_INFERENCE_CLOSED' });
  for (const run of runs) t.equal((await run).labels[0]?.label, 'blue');
  await closed;
  await engine.close();
  t.same(engine.loaded(), []);
  await t.rejects(engine.load(await classifierVariant(folder, 'last')), {
    code: 'MND_INFERENCE_CLOSED',
  });
  t.same(faults, [], 'closing is no fault');
});

t.test('a worker that hangs is killed', async (t) => {
  const worker = await brokenWorker('hangs', 'while (request.kind === "run");');
  const engine = await start(t, { worker, closeTimeout: 50 });
  await engine.load(await classifierVariant(folder, 'stuck'));
  const run = t.rejects(engine.run('stuck', teal, RUN), { code: 'MND_INFERENCE_CLOSED' });
  await engine.close();
  await run;
});

t.test('requests that wait are bounded', async (t) => {
  const engine = await start(t);
  await engine.load(await classifierVariant(folder, 'crowd'));
  const settled = await Promise.allSettled(
    Array.from({ length: 40 }, () => engine.run('crowd', teal, RUN)),
  );
  t.equal(settled.filter(({ status }) => status === 'fulfilled').length, 32);
  t.match(settled.at(-1), { reason: { code: 'MND_INFERENCE_FAILED', message: /at most 32/ } });
  t.equal((await engine.run('crowd', teal, RUN)).labels[0]?.label, 'blue');
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import type { Answer, CallKind, Calls, Request } from '#mobilenetd/inference/protocol.js';
import { createInferenceService } from '#mobilenetd/inference/service.js';
import type { Variant } from '#mobilenetd/models/variant.js';
import { classifierVariant, colourClassifier, detectorVariant } from './tiny-models.js';

// The worker's work without the worker: what a thread does is invisible to the coverage report.

const folder = await mkdtemp(join(tmpdir(), 'mobilenetd-service-'));
t.teardown(() => rm(folder, { recursive: true }));

function startService() {
  const service = createInferenceService(1);
  let id = 0;
  const send = <Kind extends CallKind>(kind: Kind, request: Calls[Kind]['request']) => {
    id += 1;
    return service.handle({ id, kind, ...request } as unknown as Request);
  };
  return { send };
}

function frameOf(bytes: Uint8Array, changes: Partial<Frame> = {}): Frame {
  return {
    sequence: 1,
    camera: 'front',
    capturedAt: 0,
    time: 0,
    width: 8,
    height: 8,
    format: 'rgb24',
    range: 'full',
    bytes,
    ...changes,
  };
}

/** The first label's index follows the four timings, then come its score and its box. */
const BLUE = 2;
const GREEN = 1;
const options = { topK: 1, threshold: 0.5 };
const blue = new Uint8Array(192).map((_, i) => (i % 3 === 2 ? 200 : 10));

function failure(code: string): Partial<Answer> {
  return { ok: false, error: { code } } as unknown as Partial<Answer>;
}

t.test('a life: load, run, measure, release, shut down', async (t) => {
  const { send } = startService();
  const variant = await classifierVariant(folder, 'colours');
  t.match(await send('load', { variant }), { ok: true, value: { loaded: ['colours'] } });
  t.match(await send('run', { name: 'colours', frame: frameOf(blue), options }), {
    id: 2,
    ok: true,
    value: { 4: BLUE },
  });
  const png = await sharp(blue, { raw: { width: 8, height: 8, channels: 3 } })
    .png()
    .toBuffer();
  const encoded = frameOf(png, { width: 0, height: 0, format: 'jpeg' });
  t.match(await send('run', { name: 'colours', frame: encoded, options }), {
    value: { 4: BLUE },
  });
  const cost = await send('profile', { name: 'colours', options: { runs: 3, warmup: 1 } });
  t.match(cost, { ok: true, value: { runs: 3, medianMs: Number, minMs: Number, cpuMs: Number } });
  t.match(await send('memory', {}), { ok: true, value: { sessions: 1, rss: Number } });
  t.match(await send('release', { name: 'colours' }), { ok: true, value: { loaded: [] } });
  t.match(await send('load', { variant }), { ok: true });
  t.match(await send('shutdown', {}), { ok: true, value: { loaded: [] } });
  t.match(await send('run', { name: 'colours', frame: frameOf(blue), options }), {
    ok: false,
    error: { code: 'MND_INFERENCE_FAILED', detail: { found: 'none' } },
  });
});

t.test('requests are answered in order, whatever fails between them', async (t) => {
  const { send } = startService();
  const variant = await classifierVariant(folder, 'order');
  const answers: number[] = [];
  const note = (answer: Answer) => {
    answers.push(answer.id);
    return answer.ok;
  };
  const worked = await Promise.all([
    send('load', { variant }).then(note),
    send('run', { name: 'nothing', frame: frameOf(blue), options }).then(note),
    send('run', { name: 'order', frame: frameOf(blue), options }).then(note),
    send('run', { name: 'order', frame: frameOf(blue.subarray(1)), options }).then(note),
    send('run', { name: 'order', frame: frameOf(blue), options }).then(note),
  ]);
  t.same(answers, [1, 2, 3, 4, 5]);
  t.same(worked, [true, false, true, false, true]);
});

t.test('what a model may not be', async (t) => {
  const { send } = startService();
  const detector = await detectorVariant(folder, 16);
  const cases: [string, Variant, string][] = [
    [
      'labels',
      await classifierVariant(folder, 'a', undefined, { labels: [] }),
      'MND_LABELS_INVALID',
    ],
    [
      'kind',
      { ...detector, head: (await classifierVariant(folder, 'b')).head },
      'MND_MODEL_MISMATCH',
    ],
    [
      'size',
      await classifierVariant(folder, 'c', colourClassifier({ size: 9 })),
      'MND_MODEL_MISMATCH',
    ],
    ['input', { ...detector, input: { name: 'x', sizes: [16] } }, 'MND_MODEL_MISMATCH'],
    ['checksum', { ...detector, sha256: '00' }, 'MND_MODEL_INVALID'],
    ['file', { ...detector, file: join(folder, 'none') }, 'MND_MODEL_MISSING'],
    // A dynamic input takes any size, but these outputs are not those of three by three cells.
    ['grid', { ...detector, size: 20 }, 'MND_MODEL_MISMATCH'],
  ];
  for (const [name, variant, code] of cases) {
    t.match(await send('load', { variant }), failure(code), name);
  }
  t.match(await send('memory', {}), { value: { sessions: 0 } }, 'no session is left behind');
});

t.test('outputs that are no numbers', async (t) => {
  const { send } = startService();
  const logits = { name: 'logits', type: 'float32', scale: Number.NaN, zeroPoint: 0 } as const;
  const variant = await classifierVariant(folder, 'nan', colourClassifier({ type: 'float32' }), {
    head: { kind: 'classifier', classes: 3, logits },
  });
  t.match(await send('load', { variant }), { ok: true });
  t.match(
    await send('run', { name: 'nan', frame: frameOf(blue), options }),
    failure('MND_INFERENCE_FAILED'),
  );
});

t.test('a detector at two sizes, boxes in the frame', async (t) => {
  const { send } = startService();
  await send('load', { variant: await detectorVariant(folder, 32) });
  await send('load', { variant: await detectorVariant(folder, 16) });
  const bytes = new Uint8Array(64 * 64 * 3);
  for (let y = 16; y < 32; y += 1) {
    for (let x = 32; x < 48; x += 1) bytes[(y * 64 + x) * 3 + 1] = 255;
  }
  const frame = frameOf(bytes, { width: 64, height: 64 });
  t.match(await send('run', { name: 'cells_32', frame, options }), {
    value: { 4: GREEN, 6: 32, 7: 16, 8: 16, 9: 16 },
  });
  t.match(await send('memory', {}), { value: { sessions: 1 } });
});

t.test('more than three files', async (t) => {
  const { send } = startService();
  for (const size of [4, 5, 6, 7]) {
    const model = colourClassifier({ size });
    await send('load', { variant: await classifierVariant(folder, `s${size}`, model, { size }) });
  }
  t.match(await send('release', { name: 's7' }), { value: { loaded: ['s5', 's6'] } });
});

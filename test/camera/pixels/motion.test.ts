import t from 'tap';
import { createMotionGate } from '#mobilenetd/camera/pixels/motion.js';
import type { CapturedFrame } from '#mobilenetd/camera/source.js';
import { mulberry32 } from '#mobilenetd/simulator/random.js';

const WIDTH = 320;
const HEIGHT = 240;

const random = mulberry32(7);
/** Noise of ±1, drawn once; a picture takes it from anywhere in it. */
const NOISE = Float32Array.from({ length: 8 * WIDTH * HEIGHT }, () => random() * 2 - 1);

interface Scene {
  /** Levels by which the whole picture is brighter. */
  readonly light?: number;
  /** Left edge of a thing of 40 × 40 pixels. */
  readonly thing?: number;
  readonly noise?: number;
  readonly format?: 'yuv420p' | 'rgb24';
}

/** A gradient with noise of ±`noise` levels in every pixel. */
function draw({ light = 0, thing, noise = 8, format = 'yuv420p' }: Scene): CapturedFrame {
  const pixel = format === 'rgb24' ? 3 : 1;
  const bytes = new Uint8Array(WIDTH * HEIGHT * (format === 'rgb24' ? 3 : 1.5)).fill(128);
  const from = Math.floor(random() * (NOISE.length - WIDTH * HEIGHT));
  for (let y = 0; y < HEIGHT; y += 1) {
    for (let x = 0; x < WIDTH; x += 1) {
      const at = y * WIDTH + x;
      const inside = thing !== undefined && x >= thing && x < thing + 40 && y >= 100 && y < 140;
      const value = (inside ? 190 : 60 + x / 4) + light + (NOISE[from + at] ?? 0) * noise;
      for (let n = 0; n < pixel; n += 1) bytes[at * pixel + n] = value;
    }
  }
  return { width: WIDTH, height: HEIGHT, format, range: 'full', bytes };
}

/** Plays a scene at 10 frames a second; returns the frames that passed. */
function play(
  frames: number,
  scene: (frame: number) => Scene,
  gate = createMotionGate(),
): number[] {
  const passed: number[] = [];
  for (let frame = 0; frame < frames; frame += 1) {
    if (gate.accepts(draw(scene(frame)), frame * 100)) passed.push(frame);
  }
  return passed;
}

t.test('a still scene with noise saves at least nine in ten, and is looked at regularly', (t) => {
  const passed = play(600, () => ({})).filter((frame) => frame > 20);
  t.ok(passed.length <= 58, `${passed.length} of 579 passed`);
  t.ok(passed.length >= 5, 'one every ten seconds');
  t.end();
});

t.test('a look at a still scene is told from one at a movement', (t) => {
  const gate = createMotionGate({ refresh: 3 });
  const verdicts = Array.from({ length: 100 }, (_, frame) =>
    gate.accepts(draw(frame < 80 ? {} : { thing: 100 }), frame * 100),
  );
  t.same(new Set(verdicts.slice(0, 21)), new Set([true]), 'the first are new');
  const still = verdicts.slice(21, 80);
  t.same(new Set(still), new Set([false, 'unmoved']));
  t.equal(still.filter((verdict) => verdict === 'unmoved').length, 1, 'one every three seconds');
  t.same(new Set(verdicts.slice(80)), new Set([true]));
  t.end();
});

t.test('a thing that enters is looked at, from its first frame and for a while', (t) => {
  for (const format of ['yuv420p', 'rgb24'] as const) {
    const passed = play(150, (frame) => (frame < 60 ? { format } : { format, thing: 100 }));
    const after = passed.filter((frame) => frame >= 60 && frame < 75);
    t.equal(after.length, 15, `${format}: the first second and a half whole`);
  }
  t.end();
});

t.test('a thing that leaves is noticed as well', (t) => {
  const passed = play(260, (frame) => (frame < 200 ? { thing: 100 } : {}));
  t.equal(passed.filter((frame) => frame >= 200 && frame < 210).length, 10);
  t.end();
});

t.test('a slow walk keeps the gate open', (t) => {
  const passed = play(120, (frame) => (frame < 40 ? {} : { thing: (frame - 40) * 3 }));
  t.equal(passed.filter((frame) => frame >= 41).length, 79);
  t.end();
});

t.test('a change of the light as a whole is not a movement', (t) => {
  const passed = play(200, (frame) => ({ light: frame < 60 ? 0 : 12 }));
  t.ok(passed.filter((frame) => frame > 20).length <= 4, `${passed}`);
  const dusk = play(300, (frame) => ({ light: -frame / 10 })).filter((frame) => frame > 20);
  t.ok(dusk.length <= 8, `${dusk.length} frames at dusk`);
  t.end();
});

t.test('the first frame, another size and encoded frames pass', (t) => {
  const gate = createMotionGate();
  t.ok(gate.accepts(draw({}), 0));
  const encoded: CapturedFrame = {
    width: 0,
    height: 0,
    format: 'jpeg',
    range: 'full',
    bytes: new Uint8Array(10),
  };
  for (const now of [1, 2, 3]) t.ok(gate.accepts(encoded, now));
  for (let now = 100; now <= 5000; now += 100) gate.accepts(draw({}), now);
  t.notOk(gate.accepts(draw({}), 5100));
  const small = { ...draw({}), height: HEIGHT / 2 };
  t.ok(gate.accepts({ ...small, bytes: small.bytes.subarray(0, WIDTH * HEIGHT * 0.75) }, 5200));
  t.end();
});

t.test('sensitivity decides what counts', (t) => {
  // At the right edge only a strip of 8 pixels of the thing is in the picture.
  const strip = (frame: number): Scene => (frame < 60 ? { noise: 2 } : { noise: 2, thing: 312 });
  const seen = (sensitivity: number) =>
    play(75, strip, createMotionGate({ sensitivity })).filter((frame) => frame >= 60).length;
  t.equal(seen(1), 15);
  t.equal(seen(0), 0);
  t.end();
});

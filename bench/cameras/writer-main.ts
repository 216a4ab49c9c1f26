import { writeFileSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createSceneRenderer } from '#mobilenetd/camera/sources/demo/renderer.js';
import { SCENE_HEIGHT, SCENE_WIDTH } from '#mobilenetd/camera/sources/demo/scene.js';
import { toYuv420p } from '#mobilenetd/cli/bench-frames.js';
import { PACKAGE_ROOT } from '#mobilenetd/package-root.js';

/*
 * Stands in for rpicam-vid while cameras are measured: takes its options and writes what it writes,
 * raw frames of 640×480 at `--framerate`. What they show is the demo scene with a sensor's noise;
 * with BENCH_CUP_AT (milliseconds since the epoch) the photo of the cup is missing until then.
 * Its process id is left in BENCH_FOLDER, in a file named by `--camera`.
 */

/** Levels of luma that a pixel is off at most. */
const NOISE = 3;
/** Frames of different noise that are repeated. */
const VARIANTS = 8;
/** Seconds into the scene: without the photo, and with it. */
const [EMPTY, FULL] = [0, 10];

const { values } = parseArgs({ strict: false, allowPositionals: true });
const folder = process.env.BENCH_FOLDER ?? '/nowhere';
writeFileSync(join(folder, `pid-${values.camera ?? 0}`), String(process.pid));
const cupAt = Number(process.env.BENCH_CUP_AT ?? 0);
const photo = await readFile(`${PACKAGE_ROOT}assets/demo/coffee.jpg`);
const full = await noisyScene(FULL);
const empty = cupAt > 0 ? await noisyScene(EMPTY) : full;

async function noisyScene(seconds: number): Promise<Uint8Array[]> {
  const rgb = await createSceneRenderer(photo).render(seconds, 0);
  const clean = toYuv420p(rgb, SCENE_WIDTH, SCENE_HEIGHT);
  const luma = SCENE_WIDTH * SCENE_HEIGHT;
  return Array.from({ length: VARIANTS }, () => {
    const frame = new Uint8ClampedArray(clean);
    for (let i = 0; i < luma; i += 1) {
      frame[i] = (frame[i] ?? 0) + Math.round((2 * Math.random() - 1) * NOISE);
    }
    return new Uint8Array(frame.buffer);
  });
}

/** Writes all of it; ends with its reader. */
function write(bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(1, bytes, done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') process.exit(1);
    }
  }
}

process.on('SIGINT', () => process.exit(0));
let number = 0;
setInterval(
  () => {
    const scene = Date.now() < cupAt ? empty : full;
    const frame = scene[number % VARIANTS];
    if (frame !== undefined) write(frame);
    number += 1;
  },
  1000 / Number(values.framerate ?? 10),
);

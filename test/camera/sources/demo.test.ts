import { readFileSync } from 'node:fs';
import t from 'tap';
import type { CapturedFrame } from '#mobilenetd/camera/source.js';
import { drawMugs, hasSpoon, MUG_STEP, SPOON_STEP } from '#mobilenetd/camera/sources/demo/mugs.js';
import {
  drawParade,
  PARADE,
  PARADE_STEP,
  paradedAt,
} from '#mobilenetd/camera/sources/demo/parade.js';
import { createSceneRenderer } from '#mobilenetd/camera/sources/demo/renderer.js';
import {
  drawScene,
  SCENE_HEIGHT,
  SCENE_PERIOD,
  SCENE_WIDTH,
} from '#mobilenetd/camera/sources/demo/scene.js';
import { createDemoSource } from '#mobilenetd/camera/sources/demo/source.js';
import { createFakeClock } from '../../fake-clock.js';

const NOON = new Date(2026, 0, 1, 12, 0, 0).getTime();
const photo = readFileSync('assets/demo/coffee.jpg');

/** Compares whole frames; the assertions of tap take minutes to print their differences. */
const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

type Pixel = readonly [red: number, green: number, blue: number];

function pixel(frame: Uint8Array, x: number, y: number): Pixel {
  const at = (y * SCENE_WIDTH + x) * 3;
  return [frame[at] ?? 0, frame[at + 1] ?? 0, frame[at + 2] ?? 0];
}

const layer = (seconds: number, name: string, wallTime = NOON) =>
  drawScene(seconds, wallTime).find((candidate) => candidate.name === name);

t.test('the scene depends on its two times alone, and repeats', (t) => {
  for (const seconds of [0, 4, 12.3, 24, 29.9]) {
    t.same(drawScene(seconds, NOON), drawScene(seconds, NOON));
    t.same(drawScene(seconds + 3 * SCENE_PERIOD, NOON), drawScene(seconds, NOON));
  }
  t.end();
});

t.test('the light is red, green, amber, red', (t) => {
  t.same(
    [0, 10.9, 11, 22.9, 23, 25.9, 26, 29.9].map((seconds) => layer(seconds, 'lamps')?.key),
    ['red', 'red', 'green', 'green', 'amber', 'amber', 'red', 'red'],
  );
  t.end();
});

t.test('the photo comes and goes, from the right edge', (t) => {
  const xs = Array.from({ length: SCENE_PERIOD * 10 }, (_, tenth) => layer(tenth / 10, 'photo')?.x);
  const present = xs.filter((x) => x !== undefined);
  t.equal(xs[0], undefined);
  t.equal(xs.at(-1), undefined);
  t.ok(present.length > 130 && present.length < 200, `${present.length} tenths of a second`);
  const home = Math.min(...present);
  t.ok(present.filter((x) => x === home).length >= 130, 'it rests in its place');
  const gone = xs.findIndex((x, tenth) => x !== undefined && xs[tenth + 1] === undefined);
  t.ok(gone > 150 && gone < 250);
  t.end();
});

t.test('no font is asked for', (t) => {
  const all = drawScene(8, NOON).map(({ svg }) => svg ?? '');
  t.notMatch(all.join(''), /<text|font/);
  t.end();
});

t.test('the clock shows the time', (t) => {
  const hands = (hour: number, minute: number, second: number) => {
    const time = new Date(2026, 5, 1, hour, minute, second).getTime();
    const svg = layer(0, 'clock', time)?.svg ?? '';
    return [...svg.matchAll(/stroke-linecap="round" transform="rotate\(([\d.]+)\)"/g)].map(
      ([, degrees]) => Number(degrees),
    );
  };
  t.same(hands(0, 0, 0), [0, 0, 0]);
  t.same(hands(15, 30, 15), [105.13, 181.5 + 0, 90]);
  t.same(hands(9, 0, 45), [270.38, 4.5, 270]);
  t.end();
});

t.test('the pixels show what the scene says', async (t) => {
  const renderer = createSceneRenderer(photo);
  const before = (await renderer.render(0, NOON)).slice();
  t.equal(before.length, SCENE_WIDTH * SCENE_HEIGHT * 3);
  const [red, green] = pixel(before, 122, 92);
  t.ok(red > 150 && green < 60, 'the stop sign is red');
  const lit = pixel(before, 303, 92);
  t.ok(lit[0] > 200 && lit[1] < 100, 'the upper lamp is lit');
  t.ok(
    pixel(before, 506, 60).every((value) => value < 60),
    'the hands point to twelve',
  );

  const later = (await renderer.render(13, NOON)).slice();
  const [, lower] = pixel(later, 303, 185);
  t.ok(lower > 180, 'the lower lamp is lit');
  t.notSame(pixel(later, 500, 450), pixel(before, 500, 450), 'the photo has come');
  const wood = pixel(later, 420, 460);
  t.ok(wood[0] > wood[2] + 40, 'and shows a wooden table');

  const again = await renderer.render(0, NOON);
  t.ok(equal(again, before), 'nothing is left of the photo');
});

t.test('a layer is drawn again only when it looks different', async (t) => {
  const renderer = createSceneRenderer(photo);
  const first = await renderer.render(0, NOON);
  const second = await renderer.render(0.1, NOON);
  t.equal(second, first, 'one frame buffer serves all');
  const other = createSceneRenderer(photo);
  const [fresh, used] = await Promise.all(
    [other, renderer].map((drawn) => drawn.render(100.1, NOON + 61_000)),
  );
  t.ok(fresh !== undefined && used !== undefined && equal(fresh, used));
});

t.test('the source delivers rgb24 at its rate until it is stopped', async (t) => {
  const clock = createFakeClock();
  const ending = new AbortController();
  const source = createDemoSource({ fps: 2, clock: { ...clock, wall: () => NOON + clock.now() } });
  const frames: CapturedFrame[] = [];
  const times: number[] = [];
  const run = source.run(ending.signal, (frame) => {
    frames.push({ ...frame, bytes: frame.bytes.slice() });
    times.push(clock.now());
    if (frames.length === 8) ending.abort();
  });
  t.match(await clock.runUntil(run), { code: 'MND_CAMERA_STOPPED' });
  t.equal(frames.length, 8);
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  t.same(gaps, new Array(7).fill(500));
  t.match(frames[0], { width: SCENE_WIDTH, height: SCENE_HEIGHT, format: 'rgb24', range: 'full' });
  const [first, last] = [frames[0]?.bytes, frames.at(-1)?.bytes];
  t.ok(first !== undefined && last !== undefined && !equal(first, last), 'the clock went on');
});

t.test('a missing photo is a failure with a reason', async (t) => {
  const source = createDemoSource({ fps: 2, photo: 'no/such/photo.jpg' });
  const error = await source.run(new AbortController().signal, () => void t.fail('delivered'));
  t.match(error, { code: 'MND_CAMERA_FAILED', message: /no\/such\/photo/ });
});

t.test('the parade shows each thing alone, with an empty stage between', (t) => {
  const shown = Array.from({ length: PARADE.length * PARADE_STEP }, (_, second) =>
    paradedAt(second),
  );
  for (const thing of PARADE) t.ok(shown.filter((at) => at === thing).length >= 5, thing);
  const next = (at: number) => shown[(at + 1) % shown.length];
  const touching = shown.filter(
    (at, index) => at !== null && ![at, null].includes(next(index) ?? null),
  );
  t.same(touching, [], 'nothing follows at once upon another thing');
  t.equal(paradedAt(PARADE.length * PARADE_STEP), PARADE[0], 'and it begins again');
  t.notMatch(drawParade(1, NOON)[0]?.svg, /<text|font/);
  t.end();
});

t.test('the parade in pixels: a red sign in the middle, then nothing', async (t) => {
  const renderer = createSceneRenderer(photo, drawParade);
  const [red, green] = pixel(await renderer.render(1, NOON), 250, 120);
  t.ok(red > 150 && green < 60, 'the sign');
  const [sky] = [pixel(await renderer.render(PARADE_STEP - 1, NOON), 250, 120)];
  t.same(sky, [0xcf, 0xdc, 0xe6]);
  const face = pixel(await renderer.render(PARADE_STEP + 1, NOON), 300, 280);
  t.ok(Math.min(...face) > 230, 'the clock');
});

t.test('a mug is moved again and again, half a minute with a spoon in it', async (t) => {
  const places = new Set<string>();
  for (let seconds = 0; seconds < 2 * SPOON_STEP; seconds += MUG_STEP) {
    const [layer] = drawMugs(seconds);
    places.add(/translate\(([^)]*)\)/.exec(layer?.svg ?? '')?.[1] ?? '');
    t.equal(layer?.svg?.includes('ellipse'), seconds < SPOON_STEP, `${seconds}`);
    t.equal(drawMugs(seconds + MUG_STEP / 2)[0]?.key, layer?.key, 'it stands still meanwhile');
  }
  t.equal(places.size, (2 * SPOON_STEP) / MUG_STEP);
  t.ok(hasSpoon(2 * SPOON_STEP), 'and it begins again');
  const renderer = createSceneRenderer(photo, drawMugs);
  const [red, , blue] = pixel(await renderer.render(0, NOON), 120, 280);
  t.ok(red > 3 * blue, 'a red mug');
});

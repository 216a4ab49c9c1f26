import t from 'tap';
import { createGovernor } from '#mobilenetd/thermal/governor.js';
import type { Rung, Way } from '#mobilenetd/thermal/sample.js';
import { linearBoard } from './linear-board.js';

const FPS = 2.5;
const LASTS_S = 3600;

function rung(name: string, accuracy: number, costMs: number, several: boolean): Rung {
  const ways: Way[] = [
    { threads: 3, costMs, cpuMs: 2.7 * costMs, knob: '3 threads' },
    { threads: 1, costMs: 2 * costMs, cpuMs: 2 * costMs, knob: '1 thread' },
  ];
  return { name, alpha: null, size: 128, accuracy, costMs, ...(several && { ways }) };
}

/** An hour on a board on which one thread heats `factor` times what its processor time says. */
function run(several: boolean, factor: number) {
  const ladder = [rung('small', 45, 30, several), rung('large', 70, 160, several)];
  const governor = createGovernor({ ladder, limitC: 80, requestedFps: FPS });
  const board = linearBoard([14, 32, 10], 62);
  let work = { busy: 0, heat: 0, cpu: 0 };
  let [peakC, quality, most] = [0, 0, 0];
  let last = governor.decide({ ...sampleAt(0, 62, work), deliveredFps: 0, rung: 0 });
  for (let s = 1; s <= LASTS_S; s += 1) {
    const dieC = board.step(work.heat);
    peakC = Math.max(peakC, dieC);
    last = governor.decide({
      ...sampleAt(s, Math.round(2 * dieC + 0.3 * Math.sin(s * s)) / 2, work),
      deliveredFps: last.fps,
      rung: last.rung,
    });
    work = { busy: 0, heat: 0, cpu: 0 };
    const { low, high, fraction } = last.mix;
    const share = low === high ? 0 : fraction;
    const parts = [
      [low, 1 - share, last.ways.low],
      [high, share, last.ways.high],
    ] as const;
    for (const [index, part, way] of parts) {
      const one = ladder[index] as Rung;
      const frames = last.fps * part;
      const ran = one.ways?.[way] ?? { threads: 3, costMs: one.costMs, cpuMs: 2.7 * one.costMs };
      const cpu = (frames * ran.cpuMs) / 2700;
      work.busy += (frames * ran.costMs) / 1000;
      work.cpu += cpu;
      work.heat += cpu * (ran.threads === 1 ? factor : 1);
      if (s > LASTS_S / 2) quality += (2 * frames * one.accuracy) / FPS / LASTS_S;
    }
    most = Math.max(most, work.busy);
  }
  return { peakC, quality, most, last };
}

function sampleAt(timeS: number, tempC: number, work: { busy: number; cpu: number }) {
  return {
    timeS,
    tempC,
    requestedFps: FPS,
    latencyMs: null,
    throttledFlags: 0,
    cpuUtil: 0.9 * work.cpu,
    ownCpu: 0.9 * work.cpu,
    busy: work.busy,
  };
}

t.test('fewer threads, where they are cooler and there is the time, are worth accuracy', (t) => {
  const fixed = run(false, 1);
  const free = run(true, 1);
  t.ok(
    free.quality > fixed.quality + 0.4,
    `${free.quality.toFixed(1)} ${fixed.quality.toFixed(1)}`,
  );
  t.ok(free.peakC < 79.5, `${free.peakC}`);
  t.ok(free.most < 1, 'and no frame is late');
  t.match(free.last.reason, /on 1 thread/);
  t.ok('1 thread' in free.last.board.knobs);
  t.same(fixed.last.board.knobs, {});
  t.end();
});

t.test(
  'where one thread heats more than was thought it costs little, and the limit is kept',
  (t) => {
    const fixed = run(false, 1.3);
    const free = run(true, 1.3);
    t.ok(
      free.quality > fixed.quality - 1,
      `${free.quality.toFixed(1)} ${fixed.quality.toFixed(1)}`,
    );
    t.ok(free.peakC < 79.5, `${free.peakC}`);
    t.end();
  },
);

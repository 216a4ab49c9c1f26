import { setTimeout as delay } from 'node:timers/promises';
import type { CommandContext } from '#mobilenetd/cli/command.js';
import { median } from '#mobilenetd/inference/median.js';
import { FPS, type Labelled, type Rig, startRig } from './rig.js';
import { busiestSince, threadCpu } from './thread-cpu.js';

/** A figure and what it must be. */
export interface Figure {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  /** `value` must be at most (or at least) this. */
  readonly bar: number;
  readonly must: 'at most' | 'at least';
  readonly pass: boolean;
  readonly model: string;
}

export interface CameraBenchOptions {
  readonly context: CommandContext;
  /** Classifier of the figures on sharing, age and CPU; the gate's figures need a detector. */
  readonly classifier: string;
  readonly detector: string;
  /** Length of each measurement, seconds. */
  readonly seconds: number;
}

/** Share of what one camera alone gets that each of two may miss or exceed. */
const SHARE_BAR = 0.05;
const AGE_BAR_MS = 20;
const CPU_BAR = 0.25;
const SAVED_BAR = 0.9;
const CUP_BAR_S = 1;
/** Frames around a kill that are looked at, seconds. */
const AROUND_S = 3;

function figure(
  model: string,
  name: string,
  value: number,
  unit: string,
  must: Figure['must'],
  bar: number,
): Figure {
  const pass = must === 'at most' ? value <= bar : value >= bar;
  return { figure: name, value, unit, bar, must, pass, model };
}

/** Measures, one rig after the other. */
export async function measureCameras(
  options: CameraBenchOptions,
  onFigure: (figure: Figure) => void,
): Promise<void> {
  const { context, classifier, detector } = options;
  const classify = { task: 'classify', name: classifier } as const;
  const detect = { task: 'detect', name: detector } as const;
  const alone = await withRig({ context, model: classify, cameras: 1 }, async (rig) => {
    const found = await measureOne(rig, options);
    for (const each of found.figures) onFigure(each);
    return found.rate;
  });
  await withRig({ context, model: classify, cameras: 2 }, async (rig) => {
    for (const each of await measureTwo(rig, alone, options.seconds)) onFigure(each);
  });
  await withRig({ context, model: detect, cameras: 1 }, async (rig) => {
    const found = await measureOne(rig, options);
    for (const each of found.figures) onFigure(each);
  });
  for (const each of await measureGate(options, detect)) onFigure(each);
}

async function withRig<T>(
  options: Parameters<typeof startRig>[0],
  work: (rig: Rig) => Promise<T>,
): Promise<T> {
  const rig = await startRig(options);
  try {
    return await work(rig);
  } finally {
    await rig.stop();
  }
}

/** Age and CPU of one camera; its rate is what two are compared with. */
async function measureOne(rig: Rig, { seconds }: CameraBenchOptions) {
  const { labelled, cpuMs, workerMs } = await observe(rig, seconds);
  const { model } = rig;
  const over =
    median(labelled.map(({ age }) => age)) - median(labelled.map(({ inference }) => inference));
  const age = figure(
    model,
    'age of a label less inference, medians',
    over,
    'ms',
    'at most',
    AGE_BAR_MS,
  );
  const rate = labelled.length / seconds;
  if (workerMs === null) return { rate, figures: [age] };
  // The worker's CPU, split by the wall time of its stages.
  const inferenceMs = workerMs * inferenceShare(labelled);
  const name = 'CPU of everything but inference, as a share of inference';
  const outside = (cpuMs - inferenceMs) / inferenceMs;
  return { rate, figures: [age, figure(model, name, outside, '', 'at most', CPU_BAR)] };
}

function inferenceShare(labelled: readonly Labelled[]): number {
  const total = (of: 'inference' | 'worked') => labelled.reduce((sum, frame) => sum + frame[of], 0);
  return total('inference') / total('worked');
}

async function measureTwo(rig: Rig, alone: number, seconds: number): Promise<Figure[]> {
  const { labelled } = await observe(rig, seconds);
  const of = (camera: string, among: readonly Labelled[]) =>
    among.filter((frame) => frame.camera === camera);
  const shares = ['camera0', 'camera1'].map(
    (camera) => of(camera, labelled).length / seconds / alone,
  );
  const missed = Math.max(...shares.map((share) => Math.abs(1 - share)));
  const usual = median(of('camera0', labelled).map(({ age }) => age));
  await rig.kill(1);
  const after = of('camera0', (await observe(rig, AROUND_S)).labelled);
  const late = Math.max(...after.map(({ age }) => age)) - usual;
  return [
    figure(
      rig.model,
      'two cameras: rate of each, off what one alone gets',
      missed,
      '',
      'at most',
      SHARE_BAR,
    ),
    figure(
      rig.model,
      'one camera killed: delay of the other’s labels, worst',
      late,
      'ms',
      'at most',
      1000 / FPS,
    ),
  ];
}

/** A still scene with noise, into which the cup comes. */
async function measureGate(
  { context, seconds }: CameraBenchOptions,
  model: { readonly task: 'detect'; readonly name: string },
): Promise<Figure[]> {
  // The start, the warm-up and the first look, which every gate lets through.
  const cupAt = Date.now() + (seconds + 35) * 1000;
  return withRig({ context, model, cameras: 1, motion: true, cupAt }, async (rig) => {
    await delay(Math.max(0, cupAt - Date.now() - seconds * 1000));
    const still = (await observe(rig, (cupAt - Date.now()) / 1000)).labelled.length;
    await delay(5000);
    const cup = rig.events.find(
      ({ event, wallTime }) => event.type === 'new' && event.label === 'cup' && wallTime >= cupAt,
    );
    const took = cup === undefined ? Number.POSITIVE_INFINITY : (cup.wallTime - cupAt) / 1000;
    return [
      figure(
        rig.model,
        'still scene: inferences the motion gate saves',
        1 - still / (seconds * FPS),
        '',
        'at least',
        SAVED_BAR,
      ),
      figure(rig.model, 'a cup that enters is announced after', took, 's', 'at most', CUP_BAR_S),
    ];
  });
}

async function observe(
  rig: Rig,
  seconds: number,
): Promise<{ labelled: readonly Labelled[]; cpuMs: number; workerMs: number | null }> {
  const from = rig.labelled.length;
  const threads = threadCpu();
  const before = process.cpuUsage();
  await delay(seconds * 1000);
  const { user, system } = process.cpuUsage(before);
  const labelled = rig.labelled.slice(from);
  return { labelled, cpuMs: (user + system) / 1000, workerMs: busiestSince(threads) };
}

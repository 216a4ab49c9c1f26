import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { codedError } from '../errors.js';
import type { LoadedResize } from '../inference/resize.js';
import type { Variant } from '../models/variant.js';
import type { CommandContext, Register } from './command.js';
import type { FramePathCost, StageTimes } from './frame-path.js';
import { writeJsonLine, writeLine } from './output.js';

interface BenchFlags {
  readonly model?: string;
  readonly threads?: number;
  readonly frames: number;
  readonly json: boolean;
}

export const register: Register = (program, context) => {
  program
    .command('bench')
    .summary('measure the whole frame path on this board, stage by stage')
    .description(
      [
        'Sends frames of 640×480 pixels through the whole frame path, one after the other: into shared',
        'memory, through the network in its worker thread, into presence and a database in a temporary',
        'folder. Prints the median milliseconds of each stage for yuv420p, rgb24 and JPEG, and the share',
        "of a frame's time that is not inference. Stop other work first: it is measured too.",
      ].join('\n'),
    )
    .option('--model <name>', 'an installed model or variant (default: the configured one)')
    .option('--threads <count>', 'threads of one inference (default: the configured number)', count)
    .option('--frames <count>', 'frames of each format that are measured', count, 200)
    .option('--json', 'one JSON object a line, one a format', false)
    .action((flags: BenchFlags) => runBench(flags, context));
};

interface Bench {
  readonly variant: Variant;
  readonly threads: number;
  readonly resize: LoadedResize;
}

async function runBench(flags: BenchFlags, context: CommandContext): Promise<void> {
  const { threadsOf } = await import('../daemon/options/engine.js');
  const { loadResize } = await import('../inference/resize.js');
  const config = context.loadConfig();
  const bench = {
    variant: await chooseVariant(flags.model ?? config.model.name, config, context),
    threads: flags.threads ?? threadsOf(config),
    resize: loadResize(),
  };
  if (bench.resize.reason !== null) {
    writeLine(context.stderr, `no SIMD kernel, frames are resized slowly: ${bench.resize.reason}`);
  }
  const costs = await measure(bench, flags.frames, config, context.signal);
  if (flags.json) printLines(bench, costs, context.stdout);
  else printTable(bench, costs, context.stdout);
}

/** @throws MND_MODEL_UNKNOWN, MND_MODEL_MISSING */
async function chooseVariant(
  name: string,
  config: Config,
  context: CommandContext,
): Promise<Variant> {
  const { openShelf } = await import('../models/shelf.js');
  const shelf = openShelf({ dir: config.models_dir, env: context.env });
  const { task, form } = config.model;
  const installed = await shelf.variants(undefined, form);
  return (
    installed.find((variant) => variant.name === name) ??
    installed.find((variant) => variant.model === name) ??
    (await shelf.resolve({ task, name, form }))
  );
}

async function measure(
  { variant, threads }: Bench,
  frames: number,
  config: Config,
  signal: AbortSignal,
): Promise<FramePathCost[]> {
  const { startEngine } = await import('../inference/engine.js');
  const { createPresence } = await import('../presence/presence.js');
  const { openStore } = await import('../store/store.js');
  const { benchFrames } = await import('./bench-frames.js');
  const { measureFramePath } = await import('./frame-path.js');
  const folder = await mkdtemp(join(tmpdir(), 'mobilenetd-bench-'));
  const engine = await startEngine({ threads });
  const store = openStore({
    file: join(folder, 'bench.db'),
    commitInterval: config.store.commit_interval,
    detectionInterval: config.store.detection_interval,
    retention: { days: 1, maxBytes: 1e9 },
    outbox: { maxAge: 3600, maxRows: 1000 },
  });
  try {
    await engine.load(variant);
    const presence = createPresence('bench', {
      enter: config.presence.enter,
      stay: config.presence.stay,
      offDelay: config.presence.off_delay,
      minFrames: config.presence.min_frames,
      labels: {},
      groups: {},
      createId: () => randomUUID(),
    });
    const options = { topK: config.model.top, threshold: config.model.threshold };
    const path = { engine, variant: variant.name, options, presence, store };
    return await measureFramePath(path, await benchFrames(), frames, signal);
  } finally {
    store.close();
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function printLines(
  { variant, threads, resize }: Bench,
  costs: readonly FramePathCost[],
  stdout: NodeJS.WritableStream,
): void {
  for (const cost of costs) {
    writeJsonLine(stdout, {
      format: cost.format,
      model: variant.name,
      size: variant.size,
      form: variant.form,
      threads,
      resize: resize.kind,
      frames: cost.frames,
      stages: mapStages(cost.stages, (ms) => round(ms, 4)),
      total: round(cost.total, 4),
      outside: round(cost.outside, 4),
    });
  }
}

function printTable(
  { variant, threads, resize }: Bench,
  costs: readonly FramePathCost[],
  stdout: NodeJS.WritableStream,
): void {
  const [first] = costs;
  if (first === undefined) return;
  const row = (name: string, cells: readonly string[]) =>
    writeLine(stdout, name.padEnd(14) + cells.map((cell) => cell.padStart(10)).join(''));
  writeLine(
    stdout,
    `${variant.name}, ${variant.size} px, ${variant.form}, threads: ${threads}, resize: ${resize.kind}`,
  );
  writeLine(stdout, `median ms of ${first.frames} frames of 640×480`);
  row(
    '',
    costs.map(({ format }) => format),
  );
  for (const stage of Object.keys(first.stages) as (keyof StageTimes)[]) {
    row(
      stage,
      costs.map(({ stages }) => stages[stage].toFixed(3)),
    );
  }
  row(
    'total',
    costs.map(({ total }) => total.toFixed(3)),
  );
  row(
    'not inference',
    costs.map(({ outside }) => `${(outside * 100).toFixed(1)} %`),
  );
}

function mapStages(stages: StageTimes, change: (ms: number) => number): Record<string, number> {
  return Object.fromEntries(Object.entries(stages).map(([name, ms]) => [name, change(ms)]));
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function count(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 100_000) return value;
  throw codedError('MND_USAGE', {
    expected: 'a whole number from 1 to 100000',
    found: JSON.stringify(text),
  });
}

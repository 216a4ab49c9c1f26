import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { CommandContext } from '#mobilenetd/cli/command.js';
import type { Config } from '#mobilenetd/config/config.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';

export const FPS = 10;

export interface RigOptions {
  readonly context: CommandContext;
  /** Task and name of the model. */
  readonly model: { readonly task: 'detect' | 'classify'; readonly name: string };
  readonly cameras: number;
  readonly motion?: boolean;
  /** Wall time (ms) until which the cup is missing. */
  readonly cupAt?: number;
}

/** A frame that was labelled. */
export interface Labelled {
  readonly camera: string;
  /** Monotonic milliseconds. */
  readonly at: number;
  /** Milliseconds since its capture. */
  readonly age: number;
  readonly inference: number;
  /** Of the worker, all stages. */
  readonly worked: number;
}

/** The whole daemon (governor off, broker and database of its own) on stand-in cameras. */
export interface Rig {
  readonly model: string;
  readonly labelled: readonly Labelled[];
  readonly events: readonly { readonly event: PresenceEvent; readonly wallTime: number }[];
  /** Kills a camera's program, as a crash would. */
  kill(camera: number): Promise<void>;
  stop(): Promise<void>;
}

const WRITER = fileURLToPath(new URL('./writer-main.js', import.meta.url));
/** After the start V8 tidies up for some seconds; what a daemon costs shows after that. */
const WARM_UP_MS = 20_000;
/** Measuring the forms of a model, once in its life, would take the other core meanwhile. */
const NOT_MEANWHILE_MS = 86_400_000;

/** Resolves when it has run for some time. */
export async function startRig(options: RigOptions): Promise<Rig> {
  const { context } = options;
  const { createLog } = await import('#mobilenetd/daemon/diagnostics/log.js');
  const { App } = await import('#mobilenetd/daemon/app.js');
  const { Signals } = await import('#mobilenetd/daemon/signals.js');
  const folder = await mkdtemp(join(tmpdir(), 'mobilenetd-bench-'));
  const config = rigConfig(options, folder);
  await writeProgram(folder, options.cupAt ?? 0);
  const labelled: Labelled[] = [];
  const events: { event: PresenceEvent; wallTime: number }[] = [];
  const log = createLog({ ...config.log, level: 'error', destination: context.stderr });
  const signals = new Signals(log);
  signals.on('labelled', ({ result: { camera, capturedAt, timings } }) => {
    const at = performance.now();
    const { decode, preprocess, inference, postprocess } = timings;
    const worked = decode + preprocess + inference + postprocess;
    labelled.push({ camera, at, age: at - capturedAt, inference, worked });
  });
  signals.on('events', ({ events: made }) => {
    for (const event of made) events.push({ event, wallTime: Date.now() });
  });
  const daemon = new App({
    config,
    env: context.env,
    signal: context.signal,
    log,
    sources: { path: folder },
    profileAfterMs: NOT_MEANWHILE_MS,
    signals,
  });
  await daemon.start();
  await delay(WARM_UP_MS);
  return {
    model: daemon.model,
    labelled,
    events,
    async kill(camera) {
      // On a machine that is too busy it may just be starting anew.
      for (let tries = 0; tries < 20; tries += 1) {
        const pid = await readFile(join(folder, `pid-${camera}`), 'utf8').catch(() => '');
        if (pid !== '' && endProcess(Number(pid))) return;
        await delay(500);
      }
    },
    async stop() {
      await daemon.stop(5000);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function endProcess(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** A program named rpicam-vid; with no shell's help it would not find Node. */
async function writeProgram(folder: string, cupAt: number): Promise<void> {
  const file = join(folder, 'rpicam-vid');
  const variables = `BENCH_FOLDER='${folder}' BENCH_CUP_AT=${cupAt}`;
  await writeFile(file, `#!/bin/sh\n${variables} exec '${process.execPath}' '${WRITER}' "$@"\n`);
  await chmod(file, 0o755);
}

function rigConfig(options: RigOptions, folder: string): Config {
  const { context, model, cameras, motion = false } = options;
  const usual = context.loadConfig();
  const named = Array.from({ length: cameras }, (_, index) => [
    `camera${index}`,
    {
      source: 'libcamera',
      fps: FPS,
      controls: { camera: index },
      motion: { enabled: motion, refresh: 10 },
    },
  ]);
  return context.loadConfig({
    cameras: Object.fromEntries(named),
    state_dir: folder,
    models_dir: usual.models_dir,
    'model.task': model.task,
    'model.name': model.name,
    'model.threads': 1,
    'governor.enabled': false,
    'mqtt.embedded.listen': '127.0.0.1:0',
  });
}

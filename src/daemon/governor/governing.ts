import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/config.js';
import { messageOf } from '../../errors.js';
import { readBoardModel } from '../../platform.js';
import type { Store } from '../../store/store.js';
import {
  createGovernor,
  type Decision,
  type Governor,
  type GovernorOptions,
} from '../../thermal/governor.js';
import { type Limit, limitFor } from '../../thermal/limit.js';
import type { HeatReading, Thermometer } from '../../thermal/thermometer.js';
import type { Fleet } from '../cameras/fleet.js';
import type { Log } from '../diagnostics/log.js';
import type { Network } from '../line/network.js';
import type { Pipeline } from '../line/pipeline.js';
import { governorPayload } from '../outputs/governor-payload.js';
import type { Messaging } from '../outputs/messaging.js';
import { createCoolCapture } from './cool-capture.js';
import type { MeasuredRung } from './rungs.js';

export interface GoverningOptions {
  readonly config: Config;
  readonly log: Log;
  readonly rungs: readonly MeasuredRung[];
  readonly thermometer: Thermometer;
  /** `auto` or the name of the variant that is pinned. */
  readonly pin: string;
  readonly limit: 'auto' | number;
  readonly network: Network;
  readonly fleet: Fleet;
  readonly pipeline: Pipeline;
  readonly messaging: Messaging;
  readonly store: Store;
  /** Told of every decision that changes something. */
  readonly onDecision?: (decision: Decision, rungs: readonly MeasuredRung[]) => void;
}

export interface Governing {
  /** The last reading; null before the first. */
  heat(): HeatReading | null;
  limitC(): number;
  /** What `<base>/governor` would say now; null before the first decision. */
  payload(): Record<string, unknown> | null;
  /** Throws MND_CONFIG_INVALID when the limit leaves no room for the margin. */
  reconfigure(pin: string, limit: 'auto' | number): void;
  stop(): void;
}

/** Milliseconds between two snapshots of what the governor has learnt. */
const SNAPSHOT_MS = 300_000;
const NOTE_MS = 60_000;
const QUIET_NOTE_MS = 600_000;
/** What counts as movement: °C, and share of the frames. */
const NOTE_DEGREES = 2;
const NOTE_FRACTION = 0.05;
/** Share of the wanted frames below which nothing is labelled to speak of: rungs say nothing then. */
const NOTE_USE = 0.05;
/** Seconds over which that share is averaged. */
const USE_SECONDS = 30;
const SNAPSHOT_FILE = 'governor.json';

/**
 * Lets the governor decide once a (simulated) second and carries its decisions out: the mix of
 * variants, and the rate at which each camera is looked at.
 */
export async function startGoverning(options: GoverningOptions): Promise<Governing> {
  const { config, log, rungs, thermometer, network, fleet, pipeline, messaging } = options;
  const chosen = limitOf(options);
  let { limitC } = chosen;
  const governor = openGovernor(options, limitC);
  const coolCapture = createCoolCapture(config.governor.min_fps);
  const startedAt = performance.now();
  let heat: HeatReading | null = null;
  let last = { at: startedAt, stats: pipeline.stats() };
  let decision: Decision | null = null;
  let shown = '';
  let noted = { mode: '', rungs: '', time: 0, degrees: 0, fraction: 0 };
  /** Share of the frames that the last decision let pass which were labelled. */
  let use = 0;
  let usedSinceSaved = false;
  let busy = 0;
  let deciding = false;

  async function decide(): Promise<void> {
    const at = performance.now();
    const stats = pipeline.stats();
    const dtS = (at - last.at) / 1000;
    const frames = stats.labelled - last.stats.labelled;
    const busyMs = stats.busyMs - last.stats.busyMs;
    const fps = requestedFps(fleet);
    // On a simulated board frames take its time, not ours.
    busy = thermometer.simulated === null ? busyMs / (at - last.at) : expectedBusy(decision, rungs);
    heat = await thermometer.read(dtS, busy);
    last = { at, stats };
    const wanted = Math.min(fps, decision?.fps ?? fps) * dtS;
    if (wanted > 0) use += Math.min(1, dtS / USE_SECONDS) * (Math.min(1, frames / wanted) - use);
    usedSinceSaved ||= use >= NOTE_USE;
    decision = governor.decide({
      timeS: ((at - startedAt) / 1000) * thermometer.speed,
      tempC: heat.tempC,
      throttledFlags: heat.flags,
      cpuUtil: heat.cpuUtil,
      requestedFps: fps,
      deliveredFps: thermometer.simulated === null ? frames / dtS : (decision?.fps ?? fps),
      latencyMs: thermometer.simulated === null && frames > 0 ? busyMs / frames : null,
      rung: decision?.rung ?? rungs.length - 1,
      busy,
    });
    const cool = coolCapture.update(decision, ((at - startedAt) / 1000) * thermometer.speed);
    for (const unit of fleet.units()) unit.keepCool(cool);
    // Nobody delivers: there is nothing to decide on, and the board cools by itself.
    if (fps > 0) await apply(decision, fps);
  }

  async function apply(next: Decision, fps: number): Promise<void> {
    const low = rungs[next.mix.low]?.variant;
    const high = rungs[next.mix.high]?.variant;
    if (low === undefined || high === undefined) return;
    await network.use({ low, high, fraction: next.mix.fraction });
    const share = next.fps >= fps ? null : next.fps / Math.max(fps, 1e-6);
    for (const unit of fleet.units()) {
      unit.limitRate(share === null ? null : unit.fps * share);
    }
    show(next);
  }

  /** Only what a person would call a change: limit, rungs, a tenth of the frames, a rate or mode. */
  function show(next: Decision): void {
    const { low, high, fraction } = next.mix;
    const [tenths, fps] = [Math.round(fraction * 10), Math.round(next.fps)];
    const key = [limitC, next.mode, low, high, tenths, fps].join(' ');
    note(next);
    if (key === shown) return;
    shown = key;
    const simulated = thermometer.simulated === null ? '' : ` (simulated ${thermometer.simulated})`;
    log.info({ mode: next.mode, fps: next.fps }, `governor${simulated}: ${next.reason}`);
    messaging.publisher.setGovernor(governorPayload(next, rungs, limitC, thermometer.simulated));
    options.onDecision?.(next, rungs);
  }

  /**
   * The log in the database: a row for every change of the mode or the rungs while frames are
   * labelled, and of an unusual mode at any time; one a minute while temperature or the mix in use
   * move. Where nothing happens, nothing is written for ten minutes: the disk may sleep.
   */
  function note(next: Decision): void {
    const time = Date.now();
    const { low, high, fraction } = next.mix;
    const degrees = next.temperatureC ?? 0;
    const inUse = use >= NOTE_USE;
    const { mode } = next;
    const pair = `${low} ${high}`;
    const isUsual = [mode, noted.mode].every((each) => each === 'full' || each === 'limited');
    const changed = (mode !== noted.mode && (inUse || !isUsual)) || (inUse && pair !== noted.rungs);
    const moved =
      Math.abs(degrees - noted.degrees) >= NOTE_DEGREES ||
      (inUse && Math.abs(fraction - noted.fraction) >= NOTE_FRACTION);
    if (!changed && time - noted.time < (moved ? NOTE_MS : QUIET_NOTE_MS)) return;
    noted = { mode, rungs: pair, time, degrees, fraction };
    options.store.recordGovernor({
      time,
      mode,
      low: rungs[low]?.name ?? '',
      high: rungs[high]?.name ?? '',
      fraction,
      fps: next.fps,
      temperature: next.temperatureC,
      limit: limitC,
      budget: next.budget,
      reason: next.reason,
    });
  }

  function tick(): void {
    if (deciding) return;
    deciding = true;
    decide()
      .catch((error: unknown) =>
        log.warn({ err: error }, `governor: a decision was not carried out: ${messageOf(error)}`),
      )
      .finally(() => {
        deciding = false;
      });
  }

  log.info(
    { limit: limitC },
    `governor: limit ${limitC} °C (${chosen.why}), ${rungs.length} rungs`,
  );
  tick();
  const ticking = setInterval(tick, Math.max(20, 1000 / thermometer.speed));
  const file = join(config.state_dir, SNAPSHOT_FILE);
  const remember = () => {
    if (thermometer.simulated === null) saveSnapshot(file, governor, log);
    usedSinceSaved = false;
  };
  // What frames heat is learnt from frames.
  const saving = setInterval(() => usedSinceSaved && remember(), SNAPSHOT_MS);
  return {
    heat: () => heat,
    limitC: () => limitC,
    payload: () =>
      decision === null ? null : governorPayload(decision, rungs, limitC, thermometer.simulated),
    reconfigure(pin, limit) {
      limitC = limitOf({ config, thermometer, limit }).limitC;
      governor.reconfigure(governorOptionsOf({ ...options, pin }, limitC));
    },
    stop() {
      clearInterval(ticking);
      clearInterval(saving);
      remember();
    },
  };
}

/**
 * The temperature that a governor of this board keeps below, before there is one, too.
 *
 * @throws MND_CONFIG_INVALID when the limit leaves no room for the margin
 */
export function limitOf({
  config: { governor },
  thermometer,
  limit,
}: Pick<GoverningOptions, 'config' | 'thermometer' | 'limit'>): Limit {
  const board = thermometer.simulated ?? readBoardModel(governor.proc_root);
  return limitFor(board, limit, governor.margin);
}

function openGovernor(options: GoverningOptions, limitC: number): Governor {
  const { config, thermometer } = options;
  const saved =
    thermometer.simulated === null ? readSnapshotFile(join(config.state_dir, SNAPSHOT_FILE)) : null;
  return createGovernor({
    ...governorOptionsOf(options, limitC),
    ...(saved !== null && {
      restore: saved.snapshot,
      restoreElapsedS: Math.max(0, (Date.now() - saved.time) / 1000),
    }),
  });
}

function governorOptionsOf(options: GoverningOptions, limitC: number): GovernorOptions {
  const { config, rungs, fleet, pin } = options;
  const rules = config.governor;
  return {
    ladder: rungs,
    limitC,
    requestedFps: requestedFps(fleet),
    marginC: rules.margin,
    pin,
    floorAlpha: rules.floor_alpha,
    floorSize: rules.floor_size,
    minFps: rules.min_fps,
    prefer: rules.prefer,
  };
}

/** Frames a second all cameras that deliver ask for. */
function requestedFps(fleet: Fleet): number {
  return fleet
    .units()
    .filter((unit) => unit.status() === 'online' && unit.enabled())
    .reduce((sum, { fps }) => sum + fps, 0);
}

/** Busy fraction of a simulated board under the last decision. */
function expectedBusy(decision: Decision | null, rungs: readonly MeasuredRung[]): number {
  if (decision === null) return 0;
  const { low, high, fraction } = decision.mix;
  const costOf = (index: number) => rungs[index]?.costMs ?? 0;
  const cost = costOf(high) * fraction + costOf(low) * (1 - fraction);
  return Math.min(1, (decision.fps * cost) / 1000);
}

interface SavedSnapshot {
  readonly time: number;
  readonly snapshot: unknown;
}

function readSnapshotFile(file: string): SavedSnapshot | null {
  try {
    const found = JSON.parse(readFileSync(file, 'utf8')) as Partial<SavedSnapshot> | null;
    if (typeof found?.time !== 'number' || found.snapshot === undefined) return null;
    return { time: found.time, snapshot: found.snapshot };
  } catch {
    // None yet, or a damaged one: the board is learnt anew.
    return null;
  }
}

function saveSnapshot(file: string, governor: Governor, log: Log): void {
  try {
    writeFileSync(file, JSON.stringify({ time: Date.now(), snapshot: governor.snapshot() }));
  } catch (error) {
    log.warn({ err: error }, `what the governor learnt is not kept: ${messageOf(error)}`);
  }
}

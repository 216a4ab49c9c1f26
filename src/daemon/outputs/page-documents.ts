import type { CameraConfig } from '../../config/config.js';
import type { Variant } from '../../models/variant.js';
import type { Context } from '../context.js';
import { governorPayload } from './decisions.js';

/** Moments ahead at which the page draws what is expected, s. */
const AHEAD_S = [0, 15, 30, 45, 60, 90, 120, 180, 240, 300];

/** The ladder as it is walked now, and what is expected of the next minutes. */
export function governorDocument({
  clock,
  governor,
  model,
}: Pick<Context, 'clock' | 'governor' | 'model'>): object {
  const state = governor.state();
  const now = clock.wall();
  if (state === null || !state.governs) {
    const ladder = model.ladder.variants.map((variant) => ({
      ...rungOf(variant),
      cost_ms: model.ladder.measuredMs.get(variant.name) ?? null,
      share: state !== null && state.variant.name === variant.name ? 1 : 0,
    }));
    return { state: state === null ? null : governorPayload(state, now), ladder, forecast: [] };
  }
  const { decision, rungs } = state;
  const { low, high, fraction } = decision.mix;
  const ladder = rungs.map(({ variant, costMs, accuracy }, index) => ({
    ...rungOf(variant),
    accuracy: percent(accuracy),
    cost_ms: costMs,
    share:
      (index === high ? (low === high ? 1 : fraction) : 0) +
      (index === low && low !== high ? 1 - fraction : 0),
  }));
  const forecast = governor.forecast(AHEAD_S).map(({ aheadS, lowC, expectedC, highC }) => ({
    s: tenth(aheadS),
    low: tenth(lowC),
    expected: tenth(expectedC),
    high: tenth(highC),
  }));
  return { state: governorPayload(state, now), ladder, forecast };
}

function tenth(value: number): number {
  return Math.round(10 * value) / 10;
}

/** Everything installed for the task, the one that runs marked. */
export function modelDocuments({ model, engine }: Pick<Context, 'model' | 'engine'>): object[] {
  const running = engine.mix();
  return model.ladder.variants.map((variant) => ({
    ...rungOf(variant),
    family: variant.family,
    task: variant.task,
    form: variant.form,
    cost_ms: model.ladder.measuredMs.get(variant.name) ?? null,
    runs: [running?.low.name, running?.high.name].includes(variant.name),
  }));
}

function rungOf({ name, alpha, size, accuracy, quality }: Variant) {
  const share = quality?.hits;
  return {
    name,
    alpha,
    size,
    accuracy: share === undefined ? (accuracy.top1 ?? accuracy.map) : percent(share),
  };
}

/** Accuracies are percents or shares: only their ratios matter to the governor. */
function percent(accuracy: number): number {
  return accuracy <= 1 ? 100 * accuracy : accuracy;
}

/** Masks and the crop of a camera for drawing them over its frame: in pixels of it, shares while its size is not known. */
export function areasOf(
  camera: CameraConfig | undefined,
  frame: { readonly width: number; readonly height: number } | null,
): object[] {
  if (camera === undefined) return [];
  const scaled = (point: readonly number[]) => {
    const [x = 0, y = 0] = point;
    const isShare = point.every((value) => value <= 1);
    return isShare && frame !== null ? [x * frame.width, y * frame.height] : [x, y];
  };
  const masks = camera.mask.map((polygon, index) => ({
    kind: 'mask',
    name: String(index + 1),
    title: String(index + 1),
    points: polygon.map(scaled),
  }));
  const zones = Object.entries(camera.zones).map(([name, { name: title, area }]) => ({
    kind: 'zone',
    name,
    title: title ?? name,
    points: area.map(scaled),
  }));
  masks.push(...zones);
  if (camera.crop === null) return masks;
  const [left, top, width, height] = camera.crop;
  const corners = [
    [left, top],
    [left + width, top],
    [left + width, top + height],
    [left, top + height],
  ];
  return [...masks, { kind: 'crop', name: 'crop', title: 'crop', points: corners.map(scaled) }];
}

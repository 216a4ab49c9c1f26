import { polygonInPixels } from '../../camera/region.js';
import type { Config } from '../../config/config.js';
import { type TaughtTask, taskName } from '../../taught/task.js';
import { type Head, onlyLabels } from '../../teach/head.js';
import type { Looking } from '../line/taught/stage.js';
import { isOfCamera, type TaughtLabel } from '../options/taught-labels.js';
import type { LiveHeads } from './live-heads.js';
import { boundsOf } from './parts-of-frames.js';

/** What is told in front of which camera: labels that can be told, and the heads that tell them. */
export interface Told {
  readonly labels: readonly TaughtLabel[];
  readonly heads: Pick<LiveHeads, 'headsOf'>;
}

/** What is looked for in the frames of a camera, and where. */
export function lookingIn(camera: string, told: Told, config: Config): readonly Looking[] {
  const settings = config.cameras[camera];
  if (settings === undefined) return [];
  return [...tasksOf(told, camera, ({ of }) => of === null)].flatMap(([id, { zone }]) => {
    const heads = headsOf(told, id);
    if (heads.size === 0) return [];
    const polygon = zone === null ? undefined : settings.zones[zone];
    if (zone !== null && polygon === undefined) return [];
    const box = polygon && boundsOf(polygonInPixels(polygon.area, settings.size));
    return [{ id, heads, area: box ? { box, size: settings.size } : null }];
  });
}

/** Heads that tell objects of these labels apart in front of a camera, for a variant. */
export function objectHeads(
  camera: string,
  told: Told,
  labels: readonly string[],
  variant: string,
): readonly Head[] {
  const isMeant = ({ of }: TaughtTask) => of?.some((label) => labels.includes(label)) ?? false;
  const names = tasksOf(told, camera, isMeant).keys();
  return [...names].flatMap((name) => headsOf(told, name).get(variant) ?? []);
}

/** The heads of a task, which say nothing of those of its labels that cannot be told. */
function headsOf({ labels, heads }: Told, name: string): ReadonlyMap<string, Head> {
  const own = labels.filter(({ task }) => taskName(task) === name).map(({ label }) => label);
  return new Map([...heads.headsOf(name)].map(([of, head]) => [of, onlyLabels(head, own)]));
}

/** Tasks that are told in front of a camera, by name. */
function tasksOf(
  { labels }: Told,
  camera: string,
  isMeant: (task: TaughtTask) => boolean,
): ReadonlyMap<string, TaughtTask> {
  const meant = labels.filter(({ task }) => isMeant(task) && isOfCamera(task, camera));
  return new Map(meant.map(({ task }) => [taskName(task), task]));
}

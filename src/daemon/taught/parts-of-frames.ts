import { boxInPixels, polygonInPixels } from '../../camera/region.js';
import type { Config } from '../../config/config.js';
import type { Box } from '../../inference/result.js';
import type { Variant } from '../../models/variant.js';
import type { TaughtTask } from '../../taught/task.js';
import { cropAround } from '../line/second/crop.js';
import type { PartOf } from './recording.js';

/**
 * The part of a camera's frames that a task looks at, as pictures of it are taken: what the network is shown
 * later is the same part.
 */
export function partOf({ camera, zone, of }: TaughtTask, config: Config, variant: Variant): PartOf {
  const settings = camera === null ? undefined : config.cameras[camera];
  if (of !== null) {
    return ({ labels }, size) => {
      const found = labels.find(({ label, box }) => box !== null && of.includes(label));
      const kept = variant.preprocessing.centralCrop;
      return found?.box ? cropAround(found.box, size, kept) : null;
    };
  }
  if (settings === undefined) return () => 'whole';
  const area = zone === null ? undefined : settings.zones[zone]?.area;
  if (area !== undefined) {
    const box = boundsOf(polygonInPixels(area, settings.size));
    return (_, size) => stretched(box, settings.size, size);
  }
  if (settings.crop === null) return () => 'whole';
  const crop = boxInPixels(settings.crop, settings.size);
  return (_, size) => stretched(crop, settings.size, size);
}

/** The smallest rectangle around points. */
export function boundsOf(points: readonly (readonly [number, number])[]): Box {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return [left, top, Math.max(1, Math.max(...xs) - left), Math.max(1, Math.max(...ys) - top)];
}

/** A box in pixels of a frame of another size. */
function stretched(
  [x, y, width, height]: Box,
  from: readonly [number, number],
  to: readonly [number, number],
): Box {
  const [across, down] = [to[0] / from[0], to[1] / from[1]];
  return [x * across, y * down, width * across, height * down];
}

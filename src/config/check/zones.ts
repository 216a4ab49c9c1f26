import { coordinatesFault, isShare } from '../../camera/region.js';
import { FIXED_SECOND, topicSafe } from '../../mqtt/topics.js';
import { nearestOf } from '../../nearest.js';
import type { CameraConfig, Config } from '../config.js';
import { outlineFault } from './outline.js';
import type { Report } from './problem.js';

type ZoneConfig = CameraConfig['zones'][string];

const LIMITS = ['min_area', 'max_area', 'min_ratio', 'max_ratio'] as const;

/** Zones, and which objects count: they need boxes, names of their own, and zones that there are. */
export function checkZones(
  camera: CameraConfig,
  config: Config,
  path: readonly string[],
  report: Report,
): void {
  checkTask(camera, config, path, report);
  for (const [name, zone] of Object.entries(camera.zones)) {
    const zonePath = [...path, 'zones', name];
    checkName(name, camera, config, zonePath, report);
    checkArea(zone, camera, zonePath, report);
    checkLabels(zone, camera, zonePath, report);
  }
  checkRequired(camera.required_zones, camera, [...path, 'required_zones'], report);
  checkLimits(camera, path, report);
  for (const [label, limits] of Object.entries(camera.objects)) {
    const own = [...path, 'objects', label];
    checkRequired(limits.required_zones ?? [], camera, [...own, 'required_zones'], report);
    const merged = Object.fromEntries(LIMITS.map((key) => [key, limits[key] ?? camera[key]]));
    checkLimits(merged, own, report);
  }
}

/**
 * A classifier names the whole picture: nothing of it is in a place, or has a size. A zone's rectangle can be
 * looked at by itself all the same, for a label that was taught.
 */
function checkTask(
  camera: CameraConfig,
  { model }: Config,
  path: readonly string[],
  report: Report,
): void {
  if (model.task === 'detect') return;
  const given = [
    ...(Object.values(camera.zones).some(followsObjects) ? ['zones'] : []),
    ...(Object.keys(camera.objects).length > 0 ? ['objects'] : []),
    ...(camera.required_zones.length > 0 ? ['required_zones'] : []),
    ...LIMITS.filter((key) => camera[key] !== null),
  ];
  for (const key of given) {
    const message = `needs boxes, which model.task: ${model.task} does not draw; set model.task: detect, or crop the camera to the place that matters`;
    report([...path, key], message, ['model.task']);
  }
}

/** Whether a zone says more than where it is. */
function followsObjects({ labels, dwell, direction }: ZoneConfig): boolean {
  return labels !== 'all' || dwell !== null || direction !== 'any';
}

function checkName(
  name: string,
  camera: CameraConfig,
  config: Config,
  path: readonly string[],
  report: Report,
): void {
  const level = topicSafe(name);
  if (FIXED_SECOND.includes(level)) {
    report(path, `expected another name; the topic "${level}" has a meaning of its own`);
  }
  const labels = [
    ...(camera.labels === 'all' ? [] : camera.labels),
    ...Object.keys(config.presence.groups),
    ...Object.keys(config.presence.labels),
  ];
  const clash = labels.find((label) => topicSafe(label) === level);
  if (clash !== undefined) report(path, `expected another name; "${clash}" is a label`);
}

function checkArea(
  zone: ZoneConfig,
  { size: [width, height] }: CameraConfig,
  path: readonly string[],
  report: Report,
): void {
  const areaPath = [...path, 'area'];
  const sizeKey = [...path.slice(0, 2), 'size'].join('.');
  const fault = coordinatesFault(zone.area.flat());
  const [across, down] = isShare(zone.area.flat()) ? [1, 1] : [width, height];
  if (fault !== null) report(areaPath, `expected ${fault}`);
  else if (!zone.area.every(([x, y]) => x <= across && y <= down)) {
    report(areaPath, `expected points in the frame of ${width}×${height}`, [sizeKey]);
  }
  if (zone.area.length > 2) {
    const outline = outlineFault(zone.area);
    if (outline !== null) report(areaPath, outline);
    if (zone.direction === 'any') return;
    report([...path, 'direction'], 'only a line has one; a line is an area of two points', [
      areaPath.join('.'),
    ]);
    return;
  }
  const [first, second] = zone.area;
  if (first?.[0] === second?.[0] && first?.[1] === second?.[1]) {
    report(areaPath, 'expected two points that differ, the ends of a line');
  }
  if (zone.dwell !== null) {
    report([...path, 'dwell'], 'nobody stays on a line; give the area three points or more', [
      areaPath.join('.'),
    ]);
  }
}

function checkLabels(
  { labels }: ZoneConfig,
  camera: CameraConfig,
  path: readonly string[],
  report: Report,
): void {
  if (labels === 'all' || camera.labels === 'all') return;
  const kept: readonly string[] = camera.labels;
  const missing = labels.find((label) => !kept.includes(label));
  if (missing === undefined) return;
  const camerasKey = [...path.slice(0, 2), 'labels'].join('.');
  report([...path, 'labels'], `"${missing}" is not among ${camerasKey}`, [camerasKey]);
}

function checkRequired(
  wanted: readonly string[],
  { zones }: CameraConfig,
  path: readonly string[],
  report: Report,
): void {
  const names = Object.keys(zones);
  for (const name of wanted) {
    if (names.includes(name)) continue;
    const near = nearestOf(name, names);
    const hint = near === null ? '' : `; did you mean "${near}"?`;
    report(path, `there is no zone "${name}"${hint}`);
  }
}

type Limits = Readonly<Partial<Record<(typeof LIMITS)[number], number | null>>>;

function checkLimits(limits: Limits, path: readonly string[], report: Report): void {
  for (const what of ['area', 'ratio'] as const) {
    const [least, most] = [limits[`min_${what}`] ?? null, limits[`max_${what}`] ?? null];
    if (least === null || most === null) continue;
    // A share of the frame and square pixels are not compared.
    const alike = what === 'ratio' || least <= 1 === most <= 1;
    if (alike && least <= most) continue;
    const message = alike
      ? `expected at most max_${what} (${most}); found ${least}`
      : 'expected min_area and max_area both in square pixels or both as shares of the frame';
    report([...path, `min_${what}`], message, [[...path, `max_${what}`].join('.')]);
  }
}

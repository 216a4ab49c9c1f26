import { boxInPixels, polygonInPixels } from '../../camera/region.js';
import { descriptionOf, rateOf } from '../../camera/registry.js';
import type { CameraConfig, Config } from '../../config/config.js';
import { codedError } from '../../errors.js';
import type { Variant } from '../../models/variant.js';
import { checkCameraNames, checkLabelNames, checkZoneNames } from '../../mqtt/topics.js';
import type { ObjectLimits, PresenceOptions } from '../../presence/presence.js';
import { BACKGROUND } from '../../presence/settings.js';
import type { Zone } from '../../presence/zones/zone.js';
import { shortName } from '../line/labels.js';
import { type TaughtLabel, taughtLabelsOf } from './taught-labels.js';

/** Labels of a detector that are announced as OFF before they are ever seen. */
const MAX_ANNOUNCED = 100;

export function cameraOf(config: Config, name: string): CameraConfig {
  const camera = config.cameras[name];
  if (camera !== undefined) return camera;
  throw codedError('MND_INTERNAL', { subject: 'cameras', expected: 'a camera', found: name });
}

/** What a camera's results are judged by; can change while it runs. */
export interface LabelRules {
  /** By the way the camera is read. */
  readonly presenceOptions: Readonly<Record<'stream' | 'still', PresenceOptions>>;
  /** Labels that are kept; null keeps all. */
  readonly labels: ReadonlySet<string> | null;
  /** Scores below this change nothing: the least `stay` of any label. */
  readonly leastScore: number;
}

/** @param taught labels that were taught of this camera: they are kept whatever else is */
export function labelRulesOf(
  config: Config,
  name: string,
  createId: (timeMs: number) => string,
  taught: readonly string[] = [],
): LabelRules {
  const found = cameraOf(config, name);
  const camera =
    found.labels === 'all' ? found : { ...found, labels: [...found.labels, ...taught] };
  return {
    presenceOptions: {
      stream: presenceOptionsOf(config, camera, 'stream', createId),
      still: presenceOptionsOf(config, camera, 'still', createId),
    },
    labels: keptLabelsOf(config, camera),
    leastScore: leastScoreOf(config, camera),
  };
}

/** Labels of the model, under their short names. */
export function knownLabelsOf({ task, labels }: Variant): Set<string> {
  return new Set(
    labels
      .slice(task === 'detect' ? 1 : 0)
      .filter(Boolean)
      .map(shortName),
  );
}

/** Labels and groups that can be present: those of the model, taught ones, and groups of any of them. */
export function possibleLabelsOf(
  { presence }: Config,
  variant: Variant,
  taught: readonly string[] = [],
): Set<string> {
  const known = new Set([...taught, ...knownLabelsOf(variant)]);
  const groups = Object.entries(presence.groups);
  const possible = groups.filter(([, members]) => members.some((member) => known.has(member)));
  return new Set([...possible.map(([name]) => name), ...known]);
}

/** Labels of a camera that have a topic from the start: those it keeps, or a detector's own. */
function announcedLabelsOf(
  config: Config,
  name: string,
  variant: Variant,
  taught: readonly string[],
): string[] {
  const possible = possibleLabelsOf(config, variant, taught);
  const camera = config.cameras[name];
  if (camera !== undefined && camera.labels !== 'all') {
    const kept = camera.labels.filter((label) => possible.has(label));
    return [...new Set([...kept, ...taught])];
  }
  const groups = Object.keys(config.presence.groups).filter((group) => possible.has(group));
  return knownLabelsOf(variant).size > MAX_ANNOUNCED
    ? [...new Set([...groups, ...taught])]
    : [...possible].filter((label) => label !== BACKGROUND);
}

/**
 * The same of all cameras that are enabled.
 *
 * @param taught labels that `taughtFault` has nothing to say against
 * @throws MND_MQTT_TOPIC when names of cameras or of their labels collide
 */
export function announcedLabels(
  config: Config,
  variant: Variant,
  taught: readonly TaughtLabel[] = [],
): Map<string, string[]> {
  const enabled = Object.entries(config.cameras).filter(([, camera]) => camera.enabled);
  const all = new Map(
    enabled.map(([name]) => [
      name,
      announcedLabelsOf(config, name, variant, taughtLabelsOf(taught, name)),
    ]),
  );
  for (const [name, { labels, zones }] of enabled) {
    // Also of those that the model does not know: another one may.
    checkLabelNames(labels === 'all' ? (all.get(name) ?? []) : labels);
    checkZoneNames(
      Object.keys(zones),
      labels === 'all' ? possibleLabelsOf(config, variant) : labels,
    );
  }
  checkCameraNames(all.keys());
  return all;
}

function presenceOptionsOf(
  config: Config,
  camera: CameraConfig,
  mode: 'stream' | 'still',
  createId: (timeMs: number) => string,
): PresenceOptions {
  const { presence } = config;
  const own = camera.presence;
  const labels = Object.fromEntries(
    Object.entries(presence.labels).map(([label, rule]) => [
      label,
      {
        ...(rule.enter !== undefined && { enter: rule.enter }),
        ...(rule.stay !== undefined && { stay: rule.stay }),
        ...(rule.off_delay !== undefined && { offDelay: rule.off_delay }),
        ...(rule.min_frames !== undefined && { minFrames: rule.min_frames }),
      },
    ]),
  );
  return {
    enter: own.enter ?? presence.enter,
    stay: own.stay ?? presence.stay,
    offDelay: own.off_delay ?? presence.off_delay,
    minFrames: own.min_frames ?? presence.min_frames,
    labels,
    groups: presence.groups,
    ...(camera.labels !== 'all' && { keep: camera.labels }),
    resultInterval: Math.max(
      1 / Math.min(rateOf({ ...camera, capture: mode }), config.governor.min_fps),
      mode === 'stream' && camera.motion.enabled ? camera.motion.refresh : 0,
    ),
    // Single pictures, minutes apart: there is no next one that could confirm what this one shows.
    ...(descriptionOf({ ...camera, capture: mode }).alone && { window: 1, minFrames: 1 }),
    frame: camera.size,
    ...(camera.crop !== null && { view: boxInPixels(camera.crop, camera.size) }),
    zones: zonesOf(camera, descriptionOf({ ...camera, capture: mode }).alone),
    objects: objectLimitsOf(
      { ...camera, ...(camera.required_zones.length === 0 && { required_zones: undefined }) },
      camera,
    ),
    objectsOf: Object.fromEntries(
      Object.entries(camera.objects).map(([label, own]) => [label, objectLimitsOf(own, camera)]),
    ),
    createId,
  };
}

/** The zones of a camera, in pixels of its size; single pictures have no next one that confirms them. */
function zonesOf({ zones, size }: CameraConfig, isAlone: boolean): Zone[] {
  return Object.entries(zones).map(([name, zone]) => ({
    name,
    area: polygonInPixels(zone.area, size),
    labels: zone.labels === 'all' ? null : zone.labels,
    minFrames: isAlone ? 1 : zone.min_frames,
    dwell: zone.dwell,
    direction: zone.direction,
  }));
}

interface ConfiguredLimits {
  readonly min_area?: number | null;
  readonly max_area?: number | null;
  readonly min_ratio?: number | null;
  readonly max_ratio?: number | null;
  readonly required_zones?: readonly string[] | undefined;
}

/** Up to 1, an area is a share of the frame. */
function objectLimitsOf(limits: ConfiguredLimits, { size }: CameraConfig): ObjectLimits {
  const pixels = (area: number) => (area <= 1 ? area * size[0] * size[1] : area);
  const { min_area, max_area, min_ratio, max_ratio, required_zones } = limits;
  return {
    ...(isSet(min_area) && { minArea: pixels(min_area) }),
    ...(isSet(max_area) && { maxArea: pixels(max_area) }),
    ...(isSet(min_ratio) && { minRatio: min_ratio }),
    ...(isSet(max_ratio) && { maxRatio: max_ratio }),
    ...(required_zones !== undefined && { requiredZones: required_zones }),
  };
}

function isSet(value: number | null | undefined): value is number {
  return value !== null && value !== undefined;
}

/**
 * Names a camera's results are reduced to before anything else sees them, or null for all: the kept
 * labels, and the members of kept groups.
 */
function keptLabelsOf(config: Config, camera: CameraConfig): ReadonlySet<string> | null {
  if (camera.labels === 'all') return null;
  const kept = new Set(camera.labels);
  for (const name of camera.labels) {
    for (const member of config.presence.groups[name] ?? []) kept.add(member);
  }
  return kept;
}

/**
 * Score below which an object changes nothing, 0 to 1: presence looks at medians against `enter` and
 * `stay`, so a score under the least `stay` may as well be absent. Of one camera, or the least of all.
 */
export function leastScoreOf(config: Config, camera?: CameraConfig): number {
  const { presence, model } = config;
  const cameras = camera === undefined ? Object.values(config.cameras) : [camera];
  const general = Math.min(...cameras.map((each) => each.presence.stay ?? presence.stay), 1);
  const stays = Object.values(presence.labels).map((rule) => rule.stay ?? general);
  const least = Math.min(cameras.length === 0 ? presence.stay : general, ...stays);
  return model.task === 'detect' ? Math.min(least, model.threshold) : least;
}

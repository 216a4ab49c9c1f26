import { nearestOf } from '../../nearest.js';
import { namesIn } from '../../notify/rule-keys.js';
import type { CameraConfig, Config } from '../config.js';

/** A label of the configuration that the model cannot say. */
export interface UnknownLabel {
  /** Where it stands, e.g. `cameras.front.labels`. */
  readonly key: string;
  readonly label: string;
  /** What was probably meant; null where nothing is like it. */
  readonly near: string | null;
}

/**
 * Labels of the configuration that can never be present, in the order of the keys.
 *
 * @param known labels of the model, under their short names
 */
export function unknownLabels(config: Config, known: ReadonlySet<string>): UnknownLabel[] {
  const { cameras, presence, homeassistant, notify, model } = config;
  const named = new Set([...known, ...Object.keys(presence.groups)]);
  const wanted = homeassistant.labels === 'default' ? [] : homeassistant.labels;
  return [
    ...Object.entries(cameras).flatMap(([name, camera]) =>
      strangersOf(`cameras.${name}`, camera, named),
    ),
    ...strangers('presence.labels', Object.keys(presence.labels), named),
    ...Object.entries(presence.groups).flatMap(([name, members]) =>
      strangers(`presence.groups.${name}`, members, known),
    ),
    ...strangers('homeassistant.labels', wanted, named),
    ...strangers('model.second.of', model.second.of, named),
    ...Object.entries(notify).flatMap(([name, { when }]) =>
      strangers(`notify.${name}.when.label`, namesIn(when.label) ?? [], named),
    ),
  ];
}

/**
 * Labels of `model.second` that its classifier cannot say.
 *
 * @param known labels of the classifier, under their short names
 */
export function unknownSubLabels({ model }: Config, known: ReadonlySet<string>): UnknownLabel[] {
  const { labels } = model.second;
  return labels === 'all' ? [] : strangers('model.second.labels', labels, known);
}

/** E.g. `cameras.front.labels: "persn" is no label of the model (did you mean person?)`. */
export function describeUnknownLabel(unknown: UnknownLabel): string {
  return `${unknown.key}: ${labelFault(unknown)}`;
}

/** What is wrong with an unknown label, without the key that names it. */
export function labelFault({ label, near }: UnknownLabel): string {
  const hint = near === null ? '' : ` (did you mean ${near}?)`;
  return `${JSON.stringify(label.slice(0, 60))} is no label of the model${hint}`;
}

/** Of a camera: the labels it keeps, those of its zones, and those with limits of their own. */
function strangersOf(
  key: string,
  { labels, zones, objects }: CameraConfig,
  known: ReadonlySet<string>,
): UnknownLabel[] {
  return [
    ...(labels === 'all' ? [] : strangers(`${key}.labels`, labels, known)),
    ...Object.entries(zones).flatMap(([zone, { labels: own }]) =>
      own === 'all' ? [] : strangers(`${key}.zones.${zone}.labels`, own, known),
    ),
    ...strangers(`${key}.objects`, Object.keys(objects), known),
  ];
}

function strangers(
  key: string,
  labels: readonly string[],
  known: ReadonlySet<string>,
): UnknownLabel[] {
  return labels
    .filter((label) => !known.has(label))
    .map((label) => ({ key, label, near: nearestOf(label, known) }));
}

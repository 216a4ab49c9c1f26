/** Labels of everyday models that people put automations on. */
const EVERYDAY: readonly string[] = [
  'person',
  'cat',
  'dog',
  'bird',
  'horse',
  'bear',
  'bicycle',
  'car',
  'motorcycle',
  'bus',
  'truck',
];

/** Entities of one camera; a home is not helped by more. */
const MAX_WATCHED = 64;

/**
 * The labels that become entities: for `default`, groups and those of {@link EVERYDAY} that the model
 * knows; else the wanted ones that are a label of the model or a group. At most 64, in that order.
 */
export function watchedLabels(options: {
  readonly wanted: 'default' | readonly string[];
  /** Labels the camera can report. */
  readonly known: Iterable<string>;
  /** Names of groups. */
  readonly groups: Iterable<string>;
}): string[] {
  const groups = new Set(options.groups);
  const known = new Set([...options.known, ...groups]);
  const wanted = options.wanted === 'default' ? [...groups, ...EVERYDAY] : options.wanted;
  return [...new Set(wanted)].filter((label) => known.has(label)).slice(0, MAX_WATCHED);
}

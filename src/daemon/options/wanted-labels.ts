import type { Config } from '../../config/config.js';
import { canKeepClasses } from '../../inference/kept-classes.js';
import type { Variant } from '../../models/variant.js';
import { namesIn } from '../../notify/rule-keys.js';
import { shortName } from '../line/labels.js';
import type { KeptOf } from '../line/mixed-engine.js';

/**
 * Labels that anything of the configuration can do something with, under their short names; null: all. Where
 * every camera names the labels that it keeps, nothing else of a result is looked at. What zones, rules and
 * the second network name counts as well, and groups are their members.
 *
 * @param taughtOf labels of the objects that something was taught of
 */
export function wantedLabelsOf(
  config: Config,
  taughtOf: readonly string[],
): ReadonlySet<string> | null {
  const { cameras, presence, notify, model } = config;
  // A camera that is switched off may be switched on.
  const all = Object.values(cameras);
  if (all.length === 0 || all.some(({ labels }) => labels === 'all')) return null;
  const named = [
    ...all.flatMap(({ labels }) => (labels === 'all' ? [] : labels)),
    ...all.flatMap(({ zones }) =>
      Object.values(zones).flatMap(({ labels }) => (labels === 'all' ? [] : labels)),
    ),
    ...Object.values(notify).flatMap(({ when }) => namesIn(when.label) ?? []),
    ...model.second.of,
    ...taughtOf,
  ];
  return new Set(named.flatMap((name) => [name, ...(presence.groups[name] ?? [])]));
}

/**
 * Numbers of the classes that a detector has to compute, the background left out; null: all, for that is
 * wanted, or it is no network whose classes can be computed apart.
 */
export function keptOf(config: Config, taughtOf: readonly string[]): KeptOf {
  const wanted = wantedLabelsOf(config, taughtOf);
  return (variant) => classesOf(variant, wanted);
}

function classesOf(variant: Variant, wanted: ReadonlySet<string> | null): readonly number[] | null {
  if (wanted === null || !canKeepClasses(variant)) return null;
  const first = variant.head.kind === 'ssd' && variant.head.background === false ? 0 : 1;
  const named = variant.labels.flatMap((label, index) =>
    index < first || label === '' ? [] : [index],
  );
  const kept = named.filter((index) => wanted.has(shortName(variant.labels[index] ?? '')));
  // Names that the network does not know are warned of; it then looks for what it knows.
  return kept.length === 0 || kept.length === named.length ? null : kept;
}

import type { Graph } from '../convert/graph.js';
import { EFFICIENTNET_LITE } from './efficientnet-lite.js';
import type { Family, Identity } from './family.js';
import { MOBILENET_V1 } from './mobilenet-v1.js';
import { MOBILENET_V2 } from './mobilenet-v2.js';
import { MOBILENET_V3_LARGE, MOBILENET_V3_SMALL } from './mobilenet-v3.js';
import { SSD_MOBILENET_V1 } from './ssd-mobilenet-v1.js';
import { SSD_MOBILENET_V2 } from './ssd-mobilenet-v2.js';
import { SSDLITE_MOBILENET_V2 } from './ssdlite-mobilenet-v2.js';

/** Every family that is known by its layers. A network of no family is called {@link OTHER}. */
export const FAMILIES: readonly Family[] = [
  MOBILENET_V1,
  MOBILENET_V2,
  MOBILENET_V3_LARGE,
  MOBILENET_V3_SMALL,
  SSD_MOBILENET_V1,
  SSD_MOBILENET_V2,
  SSDLITE_MOBILENET_V2,
  ...EFFICIENTNET_LITE,
];

/** Stands as the family of a network that none of the table is; it has no α. */
export const OTHER = 'custom';

export function familyNamed(name: string): Family | undefined {
  return FAMILIES.find((family) => family.name === name);
}

/** Recognises a network by its layers; null if it is of no family in the table. */
export function identify(graph: Graph): Identity | null {
  for (const family of FAMILIES) {
    const member = family.recognise(graph);
    if (member !== null) return { family: family.name, ...member };
  }
  return null;
}

/** What a name like `mobilenet_v1_0.5_160` says that a network is, in any way people write it. */
export function claimIn(name: string): Omit<Identity, 'classes'> | null {
  for (const { name: family, bindsNames } of FAMILIES) {
    if (!bindsNames) continue;
    // A family of detectors may have this one's name as a part of its own.
    const words = family.replaceAll('_', '[_-]?');
    const [, alpha, size] =
      new RegExp(
        `(?<!ssd[_-]?|ssdlite[_-]?)${words}[_-]([01]\\.\\d+)[_-](\\d{2,4})(?!\\d)`,
        'i',
      ).exec(name) ?? [];
    if (alpha !== undefined) return { family, alpha: Number(alpha), size: Number(size) };
  }
  return null;
}

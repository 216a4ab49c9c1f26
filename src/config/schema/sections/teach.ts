import { boolean, integer } from '../../../schema/format.js';
import type { Section } from '../../../schema/section.js';
import { key } from '../../../schema/section.js';
import { storage } from '../formats.js';

export const TEACH = {
  enabled: key(boolean, true, 'Whether what was taught on this board is looked for.'),
  max_crops: key(integer(10, 2000, 'pictures'), 2000, 'Most pictures that are kept.'),
  max_size: key(storage(1_000_000, '1MB'), '200MB', 'Most that they take together.'),
} as const satisfies Section;

import { soak } from './soak.js';

/**
 * Networks of the package's ladder that stand for all: the largest, the smallest, and some between them. To convert
 * all sixteen takes longer than most tests.
 */
export const THINGS = soak<readonly string[]>(
  ['1.0_128', '1.0_80', '0.75_80', '0.5_96', '0.5_80'].map((n) => `mobilenetd_things_${n}`),
  ['mobilenetd_things'],
);

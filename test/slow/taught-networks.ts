import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const MIRROR = process.env.MOBILENETD_MODELS_MIRROR ?? '../shared/models';

/** Of each a drawn spoon is told by every picture that was left out: none is better for it than another. */
export const NETWORKS = [
  'mobilenet_v1_0.25_128_quant',
  'mobilenet_v1_0.5_160_quant',
  'mobilenet_v1_0.75_192_quant',
];

/** A board that is slow, so that some frames a second of these small networks are a load that heats it. */
export const HOT_BOARD = { board: 'pi4-case', ambientC: 34, fromC: 50, speed: 10, slower: 4 };

const missing = NETWORKS.find((name) => !existsSync(join(MIRROR, `${name}.tflite`)));

/** Why tests with them are skipped; false: they are there. */
export const SKIP = missing === undefined ? false : `there is no ${missing}`;

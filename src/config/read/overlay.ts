import { join } from 'node:path';
import { codedError } from '../../errors.js';
import type { BoardName } from '../config.js';
import { keysOf } from '../schema/keys.js';
import { SCHEMA } from '../schema/schema.js';
import { CAMERA } from '../schema/sections/camera.js';
import { MAX_FILE_BYTES, parseConfigFile } from './file.js';
import { isRecord, type Layer, type Merged, mergeLayer, pathKey } from './layer.js';

/** A board's own defaults: `config/<board>.yaml`. */
export interface Overlay {
  readonly layer: Layer;
  /** What every camera has that does not say otherwise (`every_camera`, in overlays only). */
  readonly everyCamera: Readonly<Record<string, unknown>>;
}

const EVERY_CAMERA = 'every_camera';

/** Reads the overlay of a board. Throws MND_INTERNAL: the file is shipped with the program. */
export function readOverlay(
  board: { readonly name: BoardName; readonly model: string | null },
  packageRoot: string,
  readFile: (file: string, limit: number) => Buffer,
): Overlay {
  const file = `config/${board.name}.yaml`;
  let text: string;
  try {
    text = readFile(join(packageRoot, file), MAX_FILE_BYTES).toString('utf8');
  } catch (cause) {
    throw codedError('MND_INTERNAL', {
      subject: file,
      found: 'an overlay that cannot be read',
      next: 'install the program again, or set board: none',
      cause,
    });
  }
  const { values, lineOf, problems } = parseConfigFile(file, text);
  const [problem] = problems;
  if (problem !== undefined) {
    throw codedError('MND_INTERNAL', { subject: problem.where, found: problem.message });
  }
  const { [EVERY_CAMERA]: everyCamera, ...general } = values;
  const why = board.model === null ? '' : ` for ${board.model}`;
  return {
    everyCamera: isRecord(everyCamera) ? everyCamera : {},
    layer: {
      values: general,
      originOf: (path) => `${file}:${lineOf(path)}${why}`,
      replaces: false,
      resolvePath: (path) => path,
    },
  };
}

/** Gives every camera the overlay's values of the keys that nobody has set. */
export function addCameraDefaults(merged: Merged, { layer, everyCamera }: Overlay): void {
  const given = keysOf(CAMERA).flatMap(({ path }) => {
    const value = path.reduce<unknown>(
      (section, name) => (isRecord(section) ? section[name] : undefined),
      everyCamera,
    );
    return value === undefined ? [] : [{ path, value }];
  });
  for (const { path: camera } of [...merged.assignments.values()]) {
    if (camera.length !== 2 || camera[0] !== 'cameras') continue;
    for (const { path, value } of given) {
      const key = [...camera, ...path];
      if (merged.assignments.has(pathKey(key)) || merged.faulty.has(key.join('.'))) continue;
      const values = key.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
      mergeLayer(
        merged,
        {
          ...layer,
          values: values as Record<string, unknown>,
          originOf: () => layer.originOf([EVERY_CAMERA, ...path]),
        },
        SCHEMA,
      );
    }
  }
}

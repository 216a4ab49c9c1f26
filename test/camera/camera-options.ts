import type { CameraOptions } from '#mobilenetd/camera/create.js';
import { SOURCE_KEYS, type SourceKind } from '#mobilenetd/camera/registry.js';
import { isLeaf, isNamedItems, type Section } from '#mobilenetd/schema/section.js';

/** A camera with the defaults of every key. */
export function cameraOptions(
  source: SourceKind,
  more: Partial<CameraOptions> = {},
): CameraOptions {
  const values = defaultsOf(SOURCE_KEYS) as unknown as CameraOptions;
  return { ...values, source, size: [640, 480], fps: 10, rotation: 0, ...more };
}

function defaultsOf(section: Section): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(section).map(([name, node]) => {
      if (isLeaf(node)) return [name, node.default];
      return [name, isNamedItems(node) ? {} : defaultsOf(node)];
    }),
  );
}

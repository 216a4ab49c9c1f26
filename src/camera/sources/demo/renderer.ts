import sharp from 'sharp';
import { drawScene, SCENE_HEIGHT, SCENE_WIDTH, type SceneLayer } from './scene.js';

/** Renders the demo scene; a layer is rasterised only when it looks different from last time. */
export interface SceneRenderer {
  /** The scene as rgb24; the bytes are overwritten by the next call. */
  render(seconds: number, wallTime: number): Promise<Uint8Array>;
}

/** The layers of a scene, from back to front; see drawScene. */
export type DrawScene = (seconds: number, wallTime: number) => readonly SceneLayer[];

const CHANNELS = 3;

/** `photo` is an encoded picture; `draw` is the scene. */
export function createSceneRenderer(photo: Uint8Array, draw: DrawScene = drawScene): SceneRenderer {
  // No layer is drawn twice, so libvips' cache of operations would only hold memory (some 14 MB).
  sharp.cache(false);
  const frame = new Uint8Array(SCENE_WIDTH * SCENE_HEIGHT * CHANNELS);
  /** The last picture of each layer, by the layer's name. */
  const drawn = new Map<string, { readonly key: string; readonly pixels: Uint8Array }>();

  async function pixelsOf(layer: SceneLayer): Promise<Uint8Array> {
    const known = drawn.get(layer.name);
    if (known?.key === layer.key) return known.pixels;
    const pixels = await rasterise(layer, photo);
    drawn.set(layer.name, { key: layer.key, pixels });
    return pixels;
  }

  return {
    async render(seconds, wallTime) {
      for (const layer of draw(seconds, wallTime)) {
        paste(frame, await pixelsOf(layer), layer);
      }
      return frame;
    },
  };
}

async function rasterise(layer: SceneLayer, photo: Uint8Array): Promise<Uint8Array> {
  const picture = sharp(layer.svg === null ? photo : Buffer.from(layer.svg));
  return picture
    .resize(layer.width, layer.height, { fit: 'cover' })
    .flatten()
    .toColourspace('srgb')
    .raw()
    .toBuffer();
}

/** Copies the part of the layer that lies within the frame, row by row. */
function paste(frame: Uint8Array, pixels: Uint8Array, layer: SceneLayer): void {
  const left = Math.max(0, layer.x);
  const right = Math.min(SCENE_WIDTH, layer.x + layer.width);
  const top = Math.max(0, layer.y);
  const bottom = Math.min(SCENE_HEIGHT, layer.y + layer.height);
  if (left >= right) return;
  for (let y = top; y < bottom; y += 1) {
    const from = ((y - layer.y) * layer.width + left - layer.x) * CHANNELS;
    const row = pixels.subarray(from, from + (right - left) * CHANNELS);
    frame.set(row, (y * SCENE_WIDTH + left) * CHANNELS);
  }
}

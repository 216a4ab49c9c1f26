import { codedError } from '../errors.js';
import { systemClock } from '../time.js';
import { MAX_OUTPUT_PIXELS } from '../vision/decode-plan.js';
import { createMaskStep, type Polygon } from './pixels/blackout.js';
import { type PixelStep, withPixels } from './pixels/pixels.js';
import { createRotation } from './pixels/rotate.js';
import { RateGate } from './rate-gate.js';
import { polygonInPixels } from './region.js';
import { descriptionOf, faultsOf, rateOf, type SourceOptions } from './registry.js';
import type { CapturedFrame, Source } from './source.js';
import type { Rotation, SourceSurroundings } from './sources/description.js';

/** A camera as it is configured, with what is done to its frames. */
export interface CameraOptions extends SourceOptions {
  /** Areas that are blacked out before anything else sees a frame, pixels of `size`. */
  readonly mask?: readonly Polygon[];
  readonly motion?: { readonly enabled: boolean };
}

/**
 * Makes the source a camera is configured with; its pictures are turned and masked. Throws
 * MND_CONFIG_INVALID.
 */
export function createSource(
  options: CameraOptions,
  surroundings: SourceSurroundings = {},
): Source {
  const description = descriptionOf(options);
  const turn = ownTurn(options);
  const [width, height] = options.size;
  // `size` is that of the finished picture.
  const size = turn === 90 || turn === 270 ? ([height, width] as const) : options.size;
  const bare = turn === 0 ? options : { ...options, rotation: 0 as const, size };
  const missing = description.needs.every((key) => (options[key] ?? '') === '');
  const [fault = null] = [
    ...(missing && description.needs.length > 0
      ? [{ key: 'source', expected: `a ${description.needs.join(' or a ')}` }]
      : []),
    ...faultsOf(bare),
  ];
  if (fault !== null) {
    throw codedError('MND_CONFIG_INVALID', {
      subject: `source ${options.source}: ${fault.key}`,
      expected: fault.expected,
    });
  }
  const source = withRate(description.create(bare, surroundings), options, surroundings);
  const { onNotice } = surroundings;
  return withPixels(source, {
    steps: pixelSteps(options, turn),
    // The motion gate looks at pixels.
    decode: options.motion?.enabled ?? false,
    maxPixels: Math.min(MAX_OUTPUT_PIXELS, Math.max(LEAST_MAX_PIXELS, width * height)),
    onRefused: (name, reason) =>
      onNotice?.({
        kind: 'refused',
        key: `refused ${name}`,
        message: `a picture is left out: ${reason}`,
      }),
  });
}

/**
 * Encoded pictures keep so many pixels, or those of `size` where that is more, up to MAX_OUTPUT_PIXELS: each
 * stands in memory several times (turned, masked, waiting, looked at).
 */
const LEAST_MAX_PIXELS = 2_000_000;

/** A source of at most `fps` frames a second, whatever it delivers; a flood is told of. */
function withRate(
  source: Source,
  options: CameraOptions,
  { clock = systemClock, onNotice }: SourceSurroundings,
): Source {
  const { selects } = descriptionOf(options);
  const { fps } = options;
  return {
    run(signal, onFrame, onAlive) {
      const gate = new RateGate({
        fps,
        ...(selects && { most: FLOOD_FACTOR * fps + FLOOD_MARGIN }),
        onFlood: ({ came }) =>
          onNotice?.({
            kind: 'flood',
            key: 'flood',
            message: `the source delivers about ${came} frames a second, far more than fps (${fps}); the rest is left out`,
          }),
      });
      const pass = (frame: CapturedFrame): void | Promise<void> =>
        gate.accepts(clock.now()) ? onFrame(frame) : undefined;
      return source.run(signal, pass, onAlive);
    },
  };
}

/** A source that leaves frames out itself is flooding above so many times `fps`, and so many more. */
const FLOOD_FACTOR = 2;
const FLOOD_MARGIN = 5;

/** What is done to the pixels of each frame, in this order. */
export function pixelSteps(
  { mask = [], size }: Pick<CameraOptions, 'mask' | 'size'>,
  turn: Rotation,
): PixelStep[] {
  const steps: PixelStep[] = turn === 0 ? [] : [createRotation(turn)];
  const areas = mask.map((polygon) => polygonInPixels(polygon, size));
  if (areas.length > 0) steps.push(createMaskStep(areas, size));
  return steps;
}

/** The part of the rotation that is left to us. */
export function ownTurn(options: Pick<CameraOptions, 'source' | 'capture' | 'rotation'>): Rotation {
  const { rotation } = options;
  return descriptionOf(options).turns.includes(rotation) ? 0 : rotation;
}

/** Whether the camera takes single pictures, with the camera off in between. */
export function isStill(options: Pick<CameraOptions, 'source' | 'capture'>): boolean {
  return descriptionOf(options).devices === 'libcamera' && descriptionOf(options).alone;
}

/** Whether it is a device of this board, which heats it with every frame, and delivers what it is asked for. */
export function isOnBoard(options: CameraOptions): boolean {
  const { devices, alone } = descriptionOf(options);
  return devices !== null && !alone;
}

/**
 * Seconds without a frame after which a source of this kind has stalled: `wanted`, but at least three
 * times the interval of its frames; null for one whose pictures come when they come.
 */
export function stallTimeoutOf(options: CameraOptions, wanted: number): number | null {
  const { leastStall } = descriptionOf(options);
  return leastStall === null ? null : Math.max(wanted, 3 / rateOf(options), leastStall);
}

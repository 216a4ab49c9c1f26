import { readFile } from 'node:fs/promises';
import { codedError, messageOf } from '../../../errors.js';
import { PACKAGE_ROOT } from '../../../package-root.js';
import { type Clock, systemClock } from '../../../time.js';
import { createPacer, type FrameRate } from '../../pacer.js';
import type { Source } from '../../source.js';
import { drawMugs } from './mugs.js';
import { drawParade } from './parade.js';
import type { DrawScene } from './renderer.js';
import { drawScene, SCENE_HEIGHT, SCENE_WIDTH } from './scene.js';
import type { SceneName } from './scene-names.js';

const SCENES: Readonly<Record<SceneName, DrawScene>> = {
  street: drawScene,
  parade: drawParade,
  mugs: drawMugs,
};

export interface DemoOptions {
  /** Frames a second. */
  readonly fps: FrameRate;
  /** Absent: the street. */
  readonly scene?: SceneName;
  /** An encoded picture of a cup; default: the one that comes with the package. */
  readonly photo?: string;
  readonly clock?: Clock;
}

/**
 * A camera that looks at a drawn scene of 640 × 480 (rgb24): a stop sign, a traffic light that
 * changes, a clock that shows the time, and a photo of a cup that comes and goes every half minute; or
 * at a parade of drawn things, one at a time; or at a mug that is moved, with a spoon or without.
 */
export function createDemoSource(options: DemoOptions): Source {
  const clock = options.clock ?? systemClock;
  const draw = SCENES[options.scene ?? 'street'];
  const photo = options.photo ?? `${PACKAGE_ROOT}assets/demo/coffee.jpg`;
  return {
    async run(signal, onFrame) {
      try {
        // What draws is slow to load, and every command knows this source.
        const { createSceneRenderer } = await import('./renderer.js');
        const renderer = createSceneRenderer(await readFile(photo), draw);
        const pacer = createPacer(clock, options.fps);
        const start = clock.now();
        await pacer.next(signal);
        while (!signal.aborted) {
          const bytes = await renderer.render((clock.now() - start) / 1000, clock.wall());
          if (signal.aborted) break;
          const size = { width: SCENE_WIDTH, height: SCENE_HEIGHT };
          onFrame({ ...size, format: 'rgb24', range: 'full', bytes });
          await pacer.next(signal);
        }
        return codedError('MND_CAMERA_STOPPED', { subject: 'demo camera' });
      } catch (error) {
        return codedError('MND_CAMERA_FAILED', {
          subject: 'demo camera',
          found: messageOf(error),
          cause: error,
        });
      }
    },
  };
}

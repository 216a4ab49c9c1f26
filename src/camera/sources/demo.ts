import { oneOf } from '../../schema/format.js';
import { key } from '../../schema/section.js';
import { SCENE_NAMES } from './demo/scene-names.js';
import { createDemoSource } from './demo/source.js';
import { describeSource } from './description.js';
import { rateOf } from './rate.js';

export const DEMO = describeSource({
  summary:
    'a drawn scene of 640 × 480, the photo of a cup in it, a parade of drawn things, or a mug to teach from',
  frames: '`rgb24`',
  through: '',
  keys: {
    scene: key(
      oneOf(...SCENE_NAMES),
      'street',
      'What the drawn camera sees: a street for a detector, one large thing after another for a classifier, or a mug that is moved, half a minute with a spoon in it and half a minute without, to teach from.',
    ),
  },
  needs: [],
  schemes: [],
  devices: null,
  turns: [0],
  alone: false,
  selects: true,
  rate: ({ fps }) => fps,
  leastStall: 0,
  trial: 20,
  advice: null,
  missing: null,
  faults: () => [],
  create: ({ fps, scene }, surroundings) =>
    createDemoSource({ fps: rateOf(fps, surroundings), scene, clock: surroundings.clock }),
});

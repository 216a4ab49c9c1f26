import { oneOf } from '../../schema/format.js';
import { key } from '../../schema/section.js';
import { createDemoSource } from './demo/source.js';
import { describeSource } from './description.js';
import { rateOf } from './rate.js';

export const DEMO = describeSource({
  summary: 'a drawn scene of 640 × 480, the photo of a cup in it, or a parade of drawn things',
  frames: '`rgb24`',
  through: '',
  keys: {
    scene: key(
      oneOf('street', 'parade'),
      'street',
      'What the drawn camera sees: a street for a detector, or one large thing after another for a classifier.',
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

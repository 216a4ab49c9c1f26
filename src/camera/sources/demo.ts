import { createDemoSource } from './demo/source.js';
import { describeSource } from './description.js';
import { rateOf } from './rate.js';

export const DEMO = describeSource({
  summary: 'a drawn scene of 640 × 480, the photo of a cup in it',
  frames: '`rgb24`',
  through: '',
  keys: {},
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
  create: ({ fps }, surroundings) =>
    createDemoSource({ fps: rateOf(fps, surroundings), clock: surroundings.clock }),
});

import t from 'tap';
import { testAgreement } from '../convert/agreement.js';
import { testCalibrated } from '../convert/calibrated.js';
import { testForms } from '../convert/forms.js';
import { OFFICIAL_V1, OFFICIAL_V2 } from '../convert/mirror.js';
import { soak } from './soak.js';

// `npm test` has the small networks, and a fifth of the pictures; a soak has every picture.
t.setTimeout(600_000);

const EVERY = soak(2, 1);
for (const network of [...OFFICIAL_V1, OFFICIAL_V2]) testAgreement(t, network, EVERY);
for (const network of [...OFFICIAL_V1.slice(1), OFFICIAL_V2]) testForms(t, network);
testCalibrated(t, {
  file: 'mobilenet_v1_0.25_224_1_metadata_1.tflite',
  size: 224,
  scaling: null,
  least: 0.92,
  apart: 0.025,
});

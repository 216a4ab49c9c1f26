// The models' figures, one JSON line each, with their bars:
//
//   npm run bench:models [-- speed fixed agreement preprocessing detector install] [--rounds N]
//
// Contestants take turns in rotating order within one run; processor time counts (one thread),
// and ratios are medians of the rounds' ratios.
// The bars of the speed were set on an x64 with VNNI; the first line says what this machine has.
// Exit status 1 if a bar is missed.
import { loadPictures, printMachine } from './models/common.js';
import { detector } from './models/detector.js';
import { detectors } from './models/detectors.js';
import { fixedCost } from './models/fixed.js';
import { install } from './models/install.js';
import { kinds } from './models/kinds.js';
import { agreement, preprocessing, speed } from './models/networks.js';

const flags = process.argv.slice(2);
const at = flags.indexOf('--rounds');
const rounds = at < 0 ? 15 : Number(flags.splice(at, 2)[1]);
const pictures = await loadPictures();

const FIGURES = {
  speed: () => speed(pictures, rounds),
  fixed: () => fixedCost(rounds),
  agreement: () => agreement(pictures).then(kinds).then(detectors),
  preprocessing: () => preprocessing(rounds),
  detector: () => detector(pictures, rounds),
  install: () => install(),
};

const wanted = flags.length === 0 ? Object.keys(FIGURES) : flags;
const unknown = wanted.filter((name) => !(name in FIGURES));
if (unknown.length > 0 || !(rounds >= 1)) {
  throw new Error(`no figure ${unknown.join(', ')}: ${Object.keys(FIGURES).join(', ')}`);
}
printMachine();
for (const name of wanted) await FIGURES[name]();

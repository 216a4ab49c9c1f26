import t from 'tap';
import type { ForeignCourse } from '#mobilenetd/thermal/law/forecast.js';
import { createObserver } from '#mobilenetd/thermal/law/observer.js';
import { type Aiming, sustain } from '#mobilenetd/thermal/law/sustain.js';
import { linearBoard } from '../linear-board.js';

const ALONE: ForeignCourse = { load: 0, forS: 300, thenLoad: 0, driftC: 0 };
const BUSY: ForeignCourse = { load: 0.6, forS: 300, thenLoad: 0.6, driftC: 0 };

/** A board that is known, at rest at 50 °C and some. */
function knownBoard() {
  const observer = createObserver();
  const board = linearBoard([6, 20, 18], 40);
  for (let s = 0; s < 3600; s += 1) {
    const load = s % 200 < 100 ? 0.6 : 0.2;
    observer.advance(load, 0, 1);
    observer.correct(board.step(load), 0.2, true);
  }
  return observer;
}

const observer = knownBoard();
const known = (course: ForeignCourse, worst: ForeignCourse | null = null, stepped = false) => ({
  observer,
  neighbours: { expected: () => course, worst: () => worst, stepped, now: 0, visited: false },
});
const second = (changes: Partial<Aiming> = {}): Aiming => ({
  estimateC: 60,
  trusted: true,
  acquainted: true,
  doubtC: 0,
  leadC: 0,
  load: 0.3,
  floor: 0.05,
  targetC: 77,
  limitC: 80,
  lineC: 78.5,
  ...changes,
});
const asked = (...args: Parameters<typeof known>) =>
  known(...args) as unknown as Parameters<typeof sustain>[0];

t.test('nothing is known: nothing may be spent', (t) => {
  t.match(sustain(asked(ALONE), second({ estimateC: null }), ALONE), { sustainable: 0, viable: 0 });
  t.end();
});

t.test('a neighbour takes what it heats, and its step is told apart', (t) => {
  const alone = sustain(asked(ALONE), second(), ALONE);
  const beside = sustain(asked(BUSY, null, true), second(), ALONE);
  t.ok(beside.sustainable < alone.sustainable);
  t.ok(beside.shift < 0, 'the fall is the neighbour’s');
  t.equal(sustain(asked(BUSY), second(), ALONE).shift, 0, 'no step, no shift');
  t.end();
});

t.test('a sensor in doubt keeps a distance, less where the model is known', (t) => {
  const sure = sustain(asked(ALONE), second(), ALONE).sustainable;
  const byModel = sustain(asked(ALONE), second({ trusted: false, doubtC: 1 }), ALONE).sustainable;
  const unknown = second({ trusted: false, acquainted: false });
  const blind = sustain(asked(ALONE), unknown, ALONE).sustainable;
  t.ok(sure > byModel && byModel > blind, `${sure} ${byModel} ${blind}`);
  t.end();
});

t.test('the reserve for the worst neighbour never takes the floor while it is cool', (t) => {
  const worst: ForeignCourse = { load: 2, forS: 200, thenLoad: 0, driftC: 30 };
  const cool = sustain(asked(ALONE, worst), second(), ALONE);
  t.equal(cool.viable, 0.05);
  const hot = sustain(asked(ALONE, worst), second({ estimateC: 77.5 }), ALONE);
  t.ok(hot.viable < 0.05, `${hot.viable}`);
  t.end();
});

import t from 'tap';
import { createRandom } from '#mobilenetd/simulator/random.js';
import { createSensorCharacter } from '#mobilenetd/thermal/law/noise.js';

function seen(noiseC: number, stepC: number, drift = 0) {
  const random = createRandom(3);
  const character = createSensorCharacter();
  for (let s = 0; s < 900; s += 1) {
    const truth = 60 + drift * s + noiseC * random.normal();
    character.update(Math.round(truth / stepC) * stepC, 0);
  }
  return character;
}

t.test('step and noise of a sensor are found', (t) => {
  const pi4 = seen(0.25, 0.487);
  t.ok(Math.abs(pi4.stepC - 0.487) < 0.01, `${pi4.stepC}`);
  t.ok(pi4.noiseC > 0.2 && pi4.noiseC < 0.45, `${pi4.noiseC}`);
  t.ok(pi4.noisy);
  const quiet = seen(0.02, 1);
  t.notOk(quiet.noisy, 'coarse and quiet');
  t.notOk(quiet.scattered);
  t.notOk(seen(0, 0.1, 0.002).noisy, 'a fine step that nothing scatters');
  t.ok(seen(0.1, 0.1).noisy);
  const loud = seen(0.8, 0.5);
  t.ok(loud.noisy && loud.scattered);
  t.ok(loud.noiseC > 0.6 && loud.noiseC < 1, `${loud.noiseC}`);
  t.end();
});

t.test('what our own loads explain is neither noise nor scatter', (t) => {
  const character = createSensorCharacter();
  for (let s = 0; s < 900; s += 1) {
    // Two seconds of work, three of rest: the die answers with 3 °C.
    const explained = s % 5 < 2 ? 3 : 0;
    character.update(60 + explained + (s % 2 === 0 ? 0 : 0.1), explained);
  }
  t.notOk(character.scattered);
  t.ok(character.noiseC < 0.3, `${character.noiseC}`);
  t.end();
});

t.test('a jump now and then makes no noisy sensor', (t) => {
  const random = createRandom(5);
  const character = createSensorCharacter();
  for (let s = 0; s < 900; s += 1) {
    const jump = s % 100 === 50 ? 40 : 0;
    character.update(60 + jump + 0.1 * random.normal(), 0);
  }
  t.ok(character.noiseC < 0.4, `${character.noiseC}`);
  t.end();
});

t.test('slow heat is no noise', (t) => {
  t.ok(seen(0.1, 0.1, 0.02).noiseC < 0.2);
  t.end();
});

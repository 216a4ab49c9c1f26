import t from 'tap';
import { createErrorDiffusion } from '#mobilenetd/thermal/mix.js';

t.test('70/30 means 7 of any 10 frames', async (t) => {
  const mixing = createErrorDiffusion();
  const frames = Array.from({ length: 1000 }, () => (mixing.next(0.7) ? 5 : 2));
  for (let i = 0; i + 10 <= frames.length; i += 1) {
    const high = frames.slice(i, i + 10).filter((rung) => rung === 5).length;
    t.ok(high === 7, `frames ${i} to ${i + 9}: ${high}`);
  }
  t.notOk(/2 2/.test(frames.join(' ')), 'the odd ones are spread');
});

t.test('nonsense is the lower rung', async (t) => {
  const diffusion = createErrorDiffusion(Number.NaN);
  t.notOk(diffusion.next(Number.NaN));
  t.notOk(diffusion.next(-1));
  t.ok(diffusion.next(2), 'more than all is all');
  t.equal(diffusion.carry, 0.5);
});

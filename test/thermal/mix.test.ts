import t from 'tap';
import { createErrorDiffusion, createMixer } from '#mobilenetd/thermal/mix.js';

t.test('70/30 means 7 of any 10 frames', async (t) => {
  const mixer = createMixer();
  const frames = Array.from({ length: 1000 }, () => mixer.next({ low: 2, high: 5, fraction: 0.7 }));
  for (let i = 0; i + 10 <= frames.length; i += 1) {
    const high = frames.slice(i, i + 10).filter((rung) => rung === 5).length;
    t.ok(high === 7, `frames ${i} to ${i + 9}: ${high}`);
  }
  t.notOk(/2 2/.test(frames.join(' ')), 'the odd ones are spread');
});

t.test('one rung needs no mixing; nonsense is the lower rung', async (t) => {
  const mixer = createMixer();
  t.equal(mixer.next({ low: 3, high: 3, fraction: 0.5 }), 3);
  const diffusion = createErrorDiffusion(Number.NaN);
  t.notOk(diffusion.next(Number.NaN));
  t.notOk(diffusion.next(-1));
  t.ok(diffusion.next(2), 'more than all is all');
  t.equal(diffusion.carry, 0.5);
});

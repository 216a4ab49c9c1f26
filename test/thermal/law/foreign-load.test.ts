import t from 'tap';
import {
  type CpuUse,
  createForeignLoad,
  isForeignLoadState,
} from '#mobilenetd/thermal/law/foreign-load.js';

const use = (cpuUtil: number | null, more: Partial<CpuUse> = {}): CpuUse => ({
  cpuUtil,
  ownCpu: null,
  slowdown: null,
  ...more,
});

t.test('what is not ours is foreign, in units of our own full load', (t) => {
  const foreign = createForeignLoad();
  for (let s = 0; s < 120; s += 1) foreign.update(use(0.8 * 0.5), 0.5, 1);
  t.ok(foreign.update(use(0.4), 0.5, 1) < 0.05, 'alone');
  const seen = foreign.update(use(0.8), 0.5, 1);
  t.ok(Math.abs(seen - 0.4 / 0.8) < 0.05, `${seen}: half of what a full load takes`);
  t.end();
});

t.test('our own CPU time makes it exact, however our load moves', (t) => {
  const foreign = createForeignLoad();
  for (let s = 0; s < 120; s += 1) {
    const own = s % 2 === 0 ? 0.9 : 0.2;
    // Load and CPU time are a second apart: no estimate from utilisation alone could tell.
    const ownCpu = 0.8 * (s % 2 === 0 ? 0.2 : 0.9);
    const seen = foreign.update(use(ownCpu + 0.02, { ownCpu }), own, 1);
    t.ok(seen < 0.05, `${s} s: ${seen} on an idle board`);
  }
  t.ok(foreign.update(use(0.8, { ownCpu: 0.2 }), 0.25, 1) > 0.5);
  t.end();
});

t.test('utilisation that is not told: as slow frames tell, else as usual', (t) => {
  const foreign = createForeignLoad();
  for (let s = 0; s < 600; s += 1) foreign.update(use(0.8), 0.5, 1);
  const known = foreign.update(use(0.8), 0.5, 1);
  for (const unknown of [null, Number.NaN, -1, 7]) {
    t.ok(Math.abs(foreign.update(use(unknown), 0.5, 1) - known) < 0.05);
  }
  t.equal(foreign.update(use(null, { slowdown: 1.05 }), 0.5, 1), 0, 'not slowed: alone');
  t.ok(foreign.update(use(null, { slowdown: 2 }), 0.5, 1) > 0.2);
  t.end();
});

t.test('only a whole state is taken', (t) => {
  const state = createForeignLoad().state();
  t.ok(isForeignLoadState(JSON.parse(JSON.stringify(state))));
  t.ok(isForeignLoadState({ share: 0.8, means: [0, 0] }), 'of an earlier version');
  for (const bad of [{ share: -1 }, { share: 'x' }, {}, null]) t.notOk(isForeignLoadState(bad));
  t.end();
});

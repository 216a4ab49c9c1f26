import t from 'tap';
import type { Box, Result } from '#mobilenetd/inference/result.js';
import { createPresence } from '#mobilenetd/presence/presence.js';

const WALL = 1_700_000_000_000;
/** A bush that the network takes for a person. */
const BUSH: Box = [200, 150, 60, 120];

function watch(places: readonly (Box | null)[], label = 'person') {
  let ids = 0;
  const presence = createPresence('front', {
    ...{ enter: 0.6, stay: 0.4, offDelay: 1, minFrames: 2, labels: {}, groups: {} },
    frame: [640, 480],
    createId: () => `event-${String(++ids).padStart(8, '0')}`,
  });
  presence.suppress([{ id: '1', label: 'person', box: BUSH }]);
  let begun = 0;
  for (const [look, box] of places.entries()) {
    const result: Result = {
      ...{ camera: 'front', sequence: look + 1, capturedAt: look * 200, time: WALL + look * 200 },
      ...{ model: 'net', alpha: 1, size: 300 },
      labels: box === null ? [] : [{ index: 1, label, score: 0.9, box }],
      timings: { decode: 0, preprocess: 1, inference: 10, postprocess: 1 },
    };
    begun += presence.update(result).filter(({ type }) => type === 'new').length;
  }
  return { begun, held: presence.held().get('1') ?? 0, again: presence.held().size };
}

const at = (x: number, y = 150): Box => [x, y, 60, 120];
const way = (from: number, to: number) =>
  Array.from({ length: 20 }, (_, n) => at(from + ((to - from) * n) / 19));

t.test('the same false alarm is kept back, and counted once an object', async (t) => {
  const flicker = Array.from({ length: 60 }, (_, n) => (n % 15 < 10 ? at(200 + (n % 3)) : null));
  t.same(watch(flicker), { begun: 0, held: 4, again: 0 });
});

t.test(
  'what comes from elsewhere, leaves the spot, is larger or another thing is told',
  async (t) => {
    t.equal(watch([...way(20, 200), ...Array<Box>(20).fill(at(200))]).begun, 1, 'it came');
    t.equal(watch([...Array<Box>(20).fill(at(200)), ...way(200, 500)]).begun, 1, 'it left');
    t.equal(watch(Array<Box>(20).fill([150, 100, 160, 300])).begun, 1, 'larger');
    t.equal(watch(Array<Box>(20).fill(at(300))).begun, 1, 'beside it');
    t.equal(watch(Array<Box>(20).fill(at(200)), 'dog').begun, 1, 'another label');
  },
);

t.test('an alarm that is called wrong while it lasts ends', async (t) => {
  const presence = createPresence('front', {
    ...{ enter: 0.6, stay: 0.4, offDelay: 1, minFrames: 2, labels: {}, groups: {} },
    createId: () => 'event-00000001',
  });
  const types: string[] = [];
  for (let look = 0; look < 40; look += 1) {
    if (look === 20) presence.suppress([{ id: '1', label: 'person', box: BUSH }]);
    const events = presence.update({
      ...{ camera: 'front', sequence: look + 1, capturedAt: look * 200, time: WALL + look * 200 },
      ...{ model: 'net', alpha: 1, size: 300 },
      labels: [{ index: 1, label: 'person', score: 0.9, box: BUSH }],
      timings: { decode: 0, preprocess: 1, inference: 10, postprocess: 1 },
    });
    types.push(...events.map(({ type }) => type));
  }
  t.same(types, ['new', 'end']);
});

t.test(
  'what is undone is told at once, and a spot of another label or place changes nothing',
  async (t) => {
    const members: Readonly<Record<string, readonly string[]>> = { visitor: ['person', 'dog'] };
    for (const name of ['person', 'visitor']) {
      const groups = name === 'visitor' ? members : {};
      let ids = 0;
      const presence = createPresence('front', {
        ...{ enter: 0.6, stay: 0.4, offDelay: 1, minFrames: 2, labels: {}, groups },
        keep: [name],
        createId: () => `event-${String(++ids).padStart(8, '0')}`,
      });
      const told: string[] = [];
      const spot = { id: '1', label: name, box: BUSH };
      const steps: Readonly<Record<number, () => void>> = {
        0: () => presence.suppress([spot]),
        20: () => presence.suppress([]),
        30: () =>
          presence.suppress([
            { id: '2', label: 'cat', box: BUSH },
            { id: '3', label: name, box: [400, 150, 60, 120] },
          ]),
        40: () => presence.suppress([spot]),
        50: () => presence.suppress([]),
      };
      for (let look = 0; look < 60; look += 1) {
        steps[look]?.();
        const jitter = (look % 3) - 1;
        const events = presence.update({
          ...{
            camera: 'front',
            sequence: look + 1,
            capturedAt: look * 200,
            time: WALL + look * 200,
          },
          ...{ model: `rung ${look % 2}`, alpha: 1, size: 300 },
          labels: [
            { index: 1, label: 'person', score: 0.9, box: [200 + jitter, 150, 60, 120 - jitter] },
          ],
          timings: { decode: 0, preprocess: 1, inference: 10, postprocess: 1 },
        });
        for (const { type, label } of events)
          if (type !== 'update') told.push(`${look} ${type} ${label}`);
      }
      t.same(told, [`20 new ${name}`, `40 end ${name}`, `50 new ${name}`], name);
    }
  },
);

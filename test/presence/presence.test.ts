import t from 'tap';
import type { Result, ScoredLabel } from '#mobilenetd/inference/result.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';
import { createPresence, type PresenceOptions } from '#mobilenetd/presence/presence.js';
import { mulberry32 } from '#mobilenetd/simulator/random.js';

const FRAME_MS = 100;
const WALL = 1_700_000_000_000;

function options(overrides: Partial<PresenceOptions> = {}): PresenceOptions {
  let ids = 0;
  return {
    enter: 0.6,
    stay: 0.4,
    offDelay: 1,
    minFrames: 2,
    labels: {},
    groups: {},
    createId: (timeMs) => {
      ids += 1;
      return `${timeMs}-${ids}`;
    },
    ...overrides,
  };
}

function seen(label: string, score: number, x = 0): ScoredLabel {
  return { index: 1, label, score, box: [x, 0, 10, 10] };
}

function result(at: number, labels: readonly ScoredLabel[], time = WALL + at): Result {
  return {
    camera: 'front',
    sequence: at / FRAME_MS + 1,
    capturedAt: at,
    time,
    model: 'net_300',
    alpha: 1,
    size: 300,
    timings: { decode: 0, preprocess: 1, inference: 10, postprocess: 1 },
    labels,
  };
}

/** Feeds one score of `cup` a frame; returns the events with the frame they came in. */
function play(
  scores: readonly number[],
  overrides: Partial<PresenceOptions> = {},
): { frame: number; event: PresenceEvent }[] {
  const presence = createPresence('front', options(overrides));
  return scores.flatMap((score, frame) =>
    presence
      .update(result(frame * FRAME_MS, score === 0 ? [] : [seen('cup', score)]))
      .map((event) => ({ frame, event })),
  );
}

const repeat = (score: number, times: number): number[] => new Array<number>(times).fill(score);

t.test('a label begins after min_frames smoothed results and ends after the off delay', (t) => {
  const events = play([...repeat(0, 3), ...repeat(0.8, 10), ...repeat(0, 20)]);
  t.match(events, [
    { frame: 5, event: { type: 'new', label: 'cup', camera: 'front', score: 0.8, end: null } },
    { frame: 24, event: { type: 'end', label: 'cup', score: 0.8 } },
  ]);
  const [first, last] = events;
  t.equal(first?.event.start, WALL + 400, 'start is the first result of the run');
  t.equal(last?.event.end, WALL + 1300, 'end is the last result still above stay');
  t.equal(last?.event.id, first?.event.id);
  t.same(
    { model: first?.event.model, alpha: first?.event.alpha, size: first?.event.size },
    { model: 'net_300', alpha: 1, size: 300 },
  );
  t.end();
});

t.test('single frames never make a label present, nor end it', (t) => {
  t.same(play([0, 1, 0, 0, 1, 0, 0, 1, 0, 0], { minFrames: 1 }), []);
  const flicker = play([...repeat(0.9, 5), ...[0, 0.9, 0.9, 0, 0.9, 0.9], ...repeat(0.9, 30)], {
    offDelay: 0,
  });
  t.same(
    flicker.map(({ event }) => event.type),
    ['new'],
  );
  t.end();
});

t.test('between stay and enter a present label stays and an absent one does not begin', (t) => {
  t.same(play(repeat(0.5, 50)), []);
  const events = play([...repeat(0.7, 5), ...repeat(0.45, 100)]);
  t.same(
    events.map(({ event }) => event.type),
    ['new', 'update'],
    'the update says that it is stationary',
  );
  t.end();
});

t.test('a dip shorter than the off delay does not end', (t) => {
  const events = play([...repeat(0.9, 5), ...repeat(0.1, 9), ...repeat(0.9, 5), ...repeat(0, 20)]);
  t.same(
    events.map(({ event }) => event.type),
    ['new', 'end'],
  );
  t.end();
});

t.test('updates carry a better score, at most one a second', (t) => {
  const rising = Array.from({ length: 40 }, (_, frame) => 0.6 + frame * 0.01);
  const events = play([...rising, ...repeat(0.9, 40)]);
  const updates = events.filter(({ event }) => event.type === 'update');
  t.equal(updates.length, 4);
  for (const [index, { frame, event }] of events.entries()) {
    const before = events[index - 1];
    if (before === undefined) continue;
    t.ok((frame - before.frame) * FRAME_MS >= 1000);
    t.ok(event.score > before.event.score);
    t.equal(event.id, before.event.id);
  }
  t.end();
});

t.test('each object has an event of its own; count is that of its label in one frame', (t) => {
  const presence = createPresence('front', options());
  const two = [seen('cup', 0.9, 7), seen('cup', 0.7, 50), seen('cup', 0.1, 90)];
  const events = [0, 1, 2].flatMap((frame) => presence.update(result(frame * FRAME_MS, two)));
  t.equal(events.length, 2, 'the third is too faint');
  t.match(events, [
    { type: 'new', count: 2, box: [7, 0, 10, 10], object: /./ },
    { type: 'new', count: 2, box: [50, 0, 10, 10], object: /./ },
  ]);
  t.not(events[0]?.object, events[1]?.object);
  t.match(presence.present(), [
    { label: 'cup', count: 2, score: 0.9, since: WALL + 100, eventId: events[0]?.id, size: 300 },
  ]);
  t.equal(presence.open().length, 2);
  presence.update(result(300, []));
  t.match(presence.present(), [{ count: 0, score: 0.9, box: [7, 0, 10, 10] }]);
  t.end();
});

t.test('labels and groups have thresholds of their own', (t) => {
  const presence = createPresence(
    'front',
    options({
      labels: { cup: { enter: 0.2, minFrames: 1 }, pet: { enter: 0.3 } },
      groups: { pet: ['dog', 'cat'] },
    }),
  );
  const labels = (frame: number) => [seen('cup', 0.25), seen(frame % 2 === 0 ? 'dog' : 'cat', 0.5)];
  const events = [0, 1, 2, 3].flatMap((frame) =>
    presence.update(result(frame * FRAME_MS, labels(frame))),
  );
  t.same(
    events.map(({ type, label }) => `${type} ${label}`),
    ['new cup', 'new pet'],
  );
  t.end();
});

t.test('only kept labels and groups are followed; a narrower choice ends the others', (t) => {
  const given = options({ groups: { pet: ['dog'] }, keep: ['pet', 'cup'] });
  const presence = createPresence('front', given);
  const all = [seen('cup', 0.9), seen('dog', 0.8), seen('car', 0.7)];
  for (const frame of [0, 1, 2]) presence.update(result(frame * FRAME_MS, all));
  t.same(
    presence.present().map(({ label }) => label),
    ['cup', 'pet'],
  );
  presence.configure({ ...given, keep: ['cup'] });
  t.match(presence.update(result(300, all)), [{ type: 'end', label: 'pet' }]);
  t.end();
});

t.test('a classifier’s background is no event unless it is asked for', (t) => {
  const labelled = (overrides: Partial<PresenceOptions>) => {
    const presence = createPresence('front', options(overrides));
    const at = [...repeat(0.9, 10).keys()].map((index) => index * FRAME_MS);
    return at.flatMap((time) =>
      presence.update(result(time, [seen('background', 0.9)])).map(({ label }) => label),
    );
  };
  t.same(labelled({}), []);
  t.same(labelled({ keep: ['background'] }), ['background']);
  t.end();
});

t.test('the off delay runs out while frames have stopped', (t) => {
  const presence = createPresence('front', options({ offDelay: 5, resultInterval: 10 }));
  for (const frame of [0, 1, 2]) presence.update(result(frame * FRAME_MS, [seen('cup', 0.9)]));
  const tick = (at: number) => presence.tick({ capturedAt: at, time: WALL + at });
  t.same(tick(19_000), [], 'a silence that is regular for this camera says nothing');
  t.match(tick(20_300), [{ type: 'end', label: 'cup', end: WALL + 200 }]);
  t.same(tick(30_000), []);
  t.same(presence.present(), []);
  t.end();
});

t.test('scores from before a long silence are forgotten', (t) => {
  const presence = createPresence('front', options({ offDelay: 5 }));
  for (const frame of [0, 1]) presence.update(result(frame * FRAME_MS, [seen('cup', 0.9)]));
  t.same(presence.update(result(3_600_000, [seen('cup', 0.9)])), []);
  t.same(presence.update(result(3_600_100, [seen('cup', 0.9)])), []);
  t.match(presence.update(result(3_600_200, [seen('cup', 0.9)])), [{ type: 'new' }]);
  t.match(
    presence.update(result(7_200_000, [seen('cup', 0.9)])),
    [{ type: 'end', end: WALL + 3_600_200 }],
    'an hour without frames is not presence',
  );
  t.end();
});

t.test(
  'a wall clock that jumps changes no duration and never puts the end before the start',
  (t) => {
    for (const jump of [-86_400_000, 86_400_000]) {
      const presence = createPresence('front', options());
      const events: PresenceEvent[] = [];
      for (let frame = 0; frame < 40; frame += 1) {
        const at = frame * FRAME_MS;
        const time = WALL + at + (frame >= 6 ? jump : 0);
        events.push(...presence.update(result(at, frame < 12 ? [seen('cup', 0.9)] : [], time)));
      }
      t.same(
        events.map(({ type }) => type),
        ['new', 'end'],
      );
      const end = events[1];
      t.ok(end?.end !== null && end !== undefined && end.end >= end.start);
    }
    t.end();
  },
);

t.test('a result that overtook another does not turn time back', (t) => {
  const presence = createPresence('front', options());
  for (const at of [0, 100, 200]) presence.update(result(at, [seen('cup', 0.9)]));
  for (const at of [900, 300, 400, 500, 600]) presence.update(result(at, []));
  t.equal(presence.present().length, 1);
  t.match(presence.tick({ capturedAt: 1900, time: WALL }), [{ type: 'end' }]);
  t.end();
});

t.test('end closes everything once', (t) => {
  const presence = createPresence('front', options());
  for (const frame of [0, 1, 2]) {
    presence.update(result(frame * FRAME_MS, [seen('cup', 0.9), seen('dog', 0.9)]));
  }
  t.match(presence.end(), [
    { type: 'end', label: 'cup', end: WALL + 200 },
    { type: 'end', label: 'dog' },
  ]);
  t.same(presence.end(), []);
  t.same(presence.present(), []);
  t.end();
});

t.test('the number of followed labels is bounded and present ones are not dropped', (t) => {
  const presence = createPresence('front', options({ maxLabels: 10, minFrames: 1 }));
  for (const frame of [0, 1, 2]) presence.update(result(frame * FRAME_MS, [seen('cup', 0.9)]));
  for (let frame = 3; frame < 50; frame += 1) {
    const crowd = Array.from({ length: 30 }, (_, index) => seen(`thing ${index}`, 0.95));
    presence.update(result(frame * FRAME_MS, [seen('cup', 0.9), ...crowd]));
  }
  const present = presence.present();
  t.equal(present.length, 10);
  t.ok(present.some(({ label }) => label === 'cup'));
  t.end();
});

t.test('scores that are not numbers are nothing, larger ones are certainty', (t) => {
  t.same(play(repeat(Number.NaN, 10)), []);
  t.same(play(repeat(-1, 10)), []);
  t.match(play(repeat(7, 4)), [{ event: { type: 'new', score: 1 } }]);
  t.end();
});

t.test('an off delay of 0 ends at once, and a label can begin with it', (t) => {
  const events = play([...repeat(0.9, 4), 0, 0], { offDelay: 0 });
  t.match(events, [
    { frame: 2, event: { type: 'new' } },
    { frame: 5, event: { type: 'end' } },
  ]);
  t.end();
});

t.test('thresholds out of range are refused by name', (t) => {
  for (const [overrides, key] of [
    [{ enter: 0 }, 'presence.enter'],
    [{ stay: 2 }, 'presence.stay'],
    [{ offDelay: -1 }, 'presence.off_delay'],
    [{ minFrames: 1.5 }, 'presence.min_frames'],
    [{ labels: { cup: { enter: Number.NaN } } }, 'presence.labels.cup.enter'],
  ] as const) {
    t.throws(() => createPresence('front', options(overrides)), {
      code: 'MND_CONFIG_INVALID',
      message: new RegExp(key),
    });
  }
  t.doesNotThrow(() => createPresence('front', options({ labels: { cup: { enter: 0.1 } } })));
  t.end();
});

function medianOfLastThree(scores: readonly number[]): number {
  const padded = [0, 0, 0, ...scores].slice(-3).sort((a, b) => a - b);
  return padded[1] ?? 0;
}

t.test('random sequences keep the rules', (t) => {
  const problems: string[] = [];
  let stays = 0;
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = mulberry32(seed);
    const minFrames = 1 + Math.floor(random() * 4);
    const offDelay = random() * 2;
    const presence = createPresence('front', options({ minFrames, offDelay }));
    const names = ['a', 'b', 'c'];
    const histories = new Map(names.map((name) => [name, [] as number[]]));
    const open = new Map<string, PresenceEvent>();
    const ids = new Set<string>();
    let at = 0;

    const check = (events: PresenceEvent[], now: number, final: boolean): void => {
      for (const event of events) {
        const before = open.get(event.label);
        const history = histories.get(event.label) ?? [];
        const fail = (text: string) => problems.push(`seed ${seed} at ${now}: ${text}`);
        if (event.type === 'new') {
          stays += 1;
          if (before !== undefined) fail('new without end');
          if (ids.has(event.id)) fail('an id was used twice');
          ids.add(event.id);
          for (let back = 0; back < minFrames; back += 1) {
            const smoothed = medianOfLastThree(history.slice(0, history.length - back));
            if (smoothed < 0.6) fail(`entered too early (${smoothed})`);
          }
          open.set(event.label, event);
          continue;
        }
        if (before === undefined && event.type === 'update' && event.stationary) {
          // What rested there is found in its place again: its event is taken up.
          if (!ids.has(event.id)) fail('a stay that never began was taken up');
          open.set(event.label, event);
          continue;
        }
        if (before === undefined) fail(`${event.type} without new`);
        if (before?.id !== event.id) fail(`${event.type} has another id`);
        if (before !== undefined && event.score < before.score) fail('the best score fell');
        if (event.type === 'update') open.set(event.label, event);
        if (event.type === 'end') {
          open.delete(event.label);
          if (event.end === null || event.end < event.start) fail('ends before it starts');
          if (!final && medianOfLastThree(history) >= 0.4) fail('ended while above stay');
        }
      }
    };

    const levels = new Map(names.map((name) => [name, 0]));
    for (let frame = 0; frame < 300; frame += 1) {
      at += 50 + random() * 100;
      const labels: ScoredLabel[] = [];
      for (const name of names) {
        if (random() < 0.05) levels.set(name, random());
        const level = levels.get(name) ?? 0;
        const score = random() < 0.1 ? random() : Math.min(1, Math.max(0, level + random() * 0.2));
        const shown = random() < 0.05 ? 0 : score;
        histories.get(name)?.push(shown);
        if (shown > 0) labels.push(seen(name, shown));
      }
      check(presence.update(result(at, labels)), at, false);
      if (presence.present().length !== open.size) problems.push(`seed ${seed}: present differs`);
    }
    check(presence.end(), at, true);
    if (open.size > 0) problems.push(`seed ${seed}: a label was left open`);
  }
  t.same(problems, []);
  t.ok(stays > 500, `${stays} stays were exercised`);
  t.end();
});

t.test('with a window of one a single picture is enough', (t) => {
  const events = play([0, 0.9, ...repeat(0, 12)], { window: 1, minFrames: 1 });
  t.match(events, [
    { frame: 1, event: { type: 'new', score: 0.9 } },
    { frame: 12, event: { type: 'end', end: WALL + 100 } },
  ]);
  t.end();
});

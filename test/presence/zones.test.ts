import t from 'tap';
import type { Box, Result, ScoredLabel } from '#mobilenetd/inference/result.js';
import { createPresence, type PresenceOptions } from '#mobilenetd/presence/presence.js';
import { crossing, isInside, type Point } from '#mobilenetd/presence/zones/area.js';
import type { Zone } from '#mobilenetd/presence/zones/zone.js';

const WALL = 1_700_000_000_000;
const STEP = 200;

const PORCH: Zone = {
  name: 'porch',
  area: [
    [300, 200],
    [640, 200],
    [640, 480],
    [300, 480],
  ],
  labels: null,
  minFrames: 2,
  dwell: 10,
  direction: 'any',
};

const GATE: Zone = {
  ...PORCH,
  name: 'gate',
  dwell: null,
  area: [
    [200, 480],
    [200, 0],
  ],
};

function presenceOf(more: Partial<PresenceOptions> = {}) {
  let ids = 0;
  return createPresence('front', {
    ...{ enter: 0.6, stay: 0.4, offDelay: 2, minFrames: 2, labels: {}, groups: {} },
    frame: [640, 480],
    createId: () => `event-${String(++ids).padStart(8, '0')}`,
    ...more,
  });
}

function person(x: number, score = 0.9): ScoredLabel {
  return { index: 1, label: 'person', score, box: [x - 20, 220, 40, 100] };
}

function result(
  at: number,
  labels: readonly ScoredLabel[],
  picture: readonly [number, number] = [640, 480],
): Result {
  return {
    ...{ camera: 'front', sequence: at + 1, capturedAt: at, time: WALL + at },
    ...{ model: 'net', alpha: 1, size: 300, labels, picture },
    timings: { decode: 0, preprocess: 1, inference: 10, postprocess: 1 },
  };
}

/** A person walks to and fro along these places, one a look; what events and zones say. */
function walk(places: readonly (number | null)[], more: Partial<PresenceOptions> = {}) {
  const presence = presenceOf(more);
  const events: {
    at: number;
    type: string;
    zones: readonly string[];
    loitering: readonly string[];
  }[] = [];
  const states: { at: number; zone: string; count: number; loitering: boolean }[] = [];
  for (const [look, place] of places.entries()) {
    const at = look * STEP;
    for (const event of presence.update(result(at, place === null ? [] : [person(place)]))) {
      const { type, zones, loitering } = event;
      events.push({ at, type, zones, loitering });
    }
    for (const { zone, count, loitering } of presence.zoneChanges()) {
      states.push({ at, zone, count, loitering });
    }
  }
  return { events, states };
}

const steps = (from: number, to: number, count: number) =>
  Array.from({ length: count }, (_, n) => from + ((to - from) * n) / (count - 1));

t.test('a point is inside a polygon by the even-odd rule, also of one that is not convex', (t) => {
  const letter: Point[] = [
    [0, 0],
    [9, 0],
    [9, 9],
    [6, 9],
    [6, 3],
    [3, 3],
    [3, 9],
    [0, 9],
  ];
  t.ok(isInside([1, 8], letter));
  t.ok(isInside([8, 8], letter));
  t.notOk(isInside([4.5, 8], letter), 'between its legs');
  t.notOk(isInside([20, 4], letter));
  t.end();
});

t.test('a line is crossed from its left to its right, or the other way, within its ends', (t) => {
  const up: [Point, Point] = [
    [5, 10],
    [5, 0],
  ];
  t.equal(crossing([0, 5], [9, 5], up), 'in');
  t.equal(crossing([9, 5], [0, 5], up), 'out');
  t.equal(crossing([0, 15], [9, 15], up), null, 'past its end');
  t.equal(crossing([0, 5], [4, 5], up), null, 'not as far');
  t.equal(crossing([0, 5], [5, 5], up), crossing([0, 5], [5, 5], up));
  t.end();
});

t.test(
  'an event carries its zones in order of entry; the zone is ON while somebody is in it',
  (t) => {
    const { events, states } = walk(
      [...steps(20, 600, 30), ...steps(600, 20, 30), ...Array<null>(15).fill(null)],
      {
        zones: [PORCH, GATE],
      },
    );
    t.same(events.find(({ type }) => type === 'end')?.zones, ['gate', 'porch']);
    t.same(
      events.filter(({ type }) => type === 'new').map(({ zones }) => zones),
      [[]],
    );
    t.same(
      states.filter(({ zone }) => zone === 'porch').map(({ count }) => count),
      [1, 0],
    );
    t.same(
      states.filter(({ zone }) => zone === 'gate').map(({ count }) => count),
      [1, 0, 1, 0],
      'crossed, and crossed back; each shows for five seconds',
    );
    t.end();
  },
);

t.test('whoever stays for the dwell time loiters, who passes does not', (t) => {
  const stays = walk([...steps(100, 500, 10), ...Array<number>(80).fill(500)], { zones: [PORCH] });
  t.same(stays.events.at(-1)?.loitering, ['porch']);
  t.same(stays.states.at(-1)?.loitering, true);
  const passes = walk([...steps(100, 500, 10), ...steps(500, 100, 20)], { zones: [PORCH] });
  t.ok(passes.events.every(({ loitering }) => loitering.length === 0));
  t.end();
});

t.test('a line counts one way only where it says so', (t) => {
  for (const [direction, way, expected] of [
    ['in', [20, 600], ['gate']],
    ['out', [20, 600], []],
    ['out', [600, 20], ['gate']],
    ['any', [600, 20], ['gate']],
  ] as const) {
    const { events } = walk([...steps(way[0], way[1], 30), ...Array<null>(15).fill(null)], {
      zones: [{ ...GATE, direction }],
    });
    t.same(events.at(-1)?.zones, expected, `${direction}, ${way.join(' to ')}`);
  }
  t.end();
});

t.test('with required zones nothing is said before one of them is entered', (t) => {
  const options = { zones: [PORCH], objects: { requiredZones: ['porch'] } };
  t.same(walk(steps(20, 250, 60), options).events, []);
  const { events } = walk([...steps(20, 250, 30), ...steps(260, 600, 30)], options);
  t.match(events[0], { type: 'new', zones: ['porch'] });
  const exempt = { ...options, objectsOf: { person: { requiredZones: [] } } };
  t.match(walk(steps(20, 250, 60), exempt).events, [{ type: 'new' }]);
  t.end();
});

t.test('only the labels of a zone count in it', (t) => {
  const { events, states } = walk(steps(20, 600, 40), { zones: [{ ...PORCH, labels: ['car'] }] });
  t.same(states, []);
  t.ok(events.every(({ zones }) => zones.length === 0));
  t.end();
});

t.test('boxes that are too small, too large, too slender or too wide are left out', (t) => {
  const box: Box = [100, 100, 40, 100];
  for (const [objects, isSeen] of [
    [{ minArea: 4000 }, true],
    [{ minArea: 4001 }, false],
    [{ maxArea: 4000 }, true],
    [{ maxArea: 3999 }, false],
    [{ minRatio: 0.41 }, false],
    [{ maxRatio: 0.39 }, false],
    [{ minRatio: 0.4, maxRatio: 0.4 }, true],
  ] as const) {
    for (const own of [false, true]) {
      const presence = presenceOf(own ? { objectsOf: { cup: objects } } : { objects });
      const labels = [{ index: 1, label: 'cup', score: 0.9, box }];
      const events = [0, 1, 2, 3].flatMap((n) => presence.update(result(n * STEP, labels)));
      t.equal(events.length > 0, isSeen, JSON.stringify(objects));
    }
  }
  t.end();
});

t.test('a picture of another size is stretched to the frame that zones are measured in', (t) => {
  const presence = presenceOf({ zones: [PORCH] });
  const labels = [{ index: 1, label: 'person', score: 0.9, box: [960, 440, 80, 200] as const }];
  for (const n of [0, 1, 2, 3]) presence.update(result(n * STEP, labels, [1280, 960]));
  t.match(presence.zoneChanges(), [{ zone: 'porch', label: 'person', count: 1 }]);
  t.end();
});

t.test('when everything ends nobody is in a zone any more', (t) => {
  const presence = presenceOf({ zones: [PORCH] });
  for (const n of [0, 1, 2, 3]) presence.update(result(n * STEP, [person(500), person(350)]));
  t.match(presence.zoneChanges(), [{ count: 2 }]);
  t.same(presence.zoneChanges(), [], 'told once');
  presence.end();
  t.match(presence.zoneChanges(), [{ zone: 'porch', label: 'person', count: 0, events: [] }]);
  t.same(presence.zones(), []);
  t.end();
});

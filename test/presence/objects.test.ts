import t from 'tap';
import type { Box, Result, ScoredLabel } from '#mobilenetd/inference/result.js';
import { createBody } from '#mobilenetd/presence/objects/body.js';
import { overlapOf } from '#mobilenetd/presence/objects/box.js';
import { Doubt } from '#mobilenetd/presence/objects/doubt.js';
import { Matcher } from '#mobilenetd/presence/objects/match.js';
import { createPresence, type PresenceOptions } from '#mobilenetd/presence/presence.js';

const WALL = 1_700_000_000_000;

function presenceOf(more: Partial<PresenceOptions> = {}) {
  let ids = 0;
  return createPresence('front', {
    ...{ enter: 0.6, stay: 0.4, offDelay: 5, minFrames: 2, labels: {}, groups: {} },
    createId: () => `event-${String(++ids).padStart(8, '0')}`,
    ...more,
  });
}

function thing(label: string, box: Box, score = 0.9): ScoredLabel {
  return { index: 1, label, score, box };
}

function result(at: number, labels: readonly ScoredLabel[], model = 'net'): Result {
  return {
    ...{ camera: 'front', sequence: at + 1, capturedAt: at, time: WALL + at },
    ...{ model, alpha: 1, size: 300, labels },
    timings: { decode: 0, preprocess: 1, inference: 10, postprocess: 1 },
  };
}

const CAR: Box = [100, 100, 80, 40];

t.test('overlap is 1 for one box, 0 for two that only touch', (t) => {
  t.equal(overlapOf(CAR, CAR), 1);
  t.equal(overlapOf([0, 0, 10, 10], [10, 0, 10, 10]), 0);
  t.equal(overlapOf([0, 0, 10, 10], [5, 0, 10, 10]), 1 / 3);
  t.equal(overlapOf([0, 0, 0, 0], [0, 0, 0, 0]), 0, 'nothing is nowhere');
  t.end();
});

function match(objects: readonly Box[], boxes: readonly Box[], matcher = new Matcher()): number[] {
  matcher.clear();
  for (const box of objects) matcher.addObject(createBody(box, 0), true, 0);
  for (const box of boxes) matcher.addBox(box);
  matcher.match();
  return boxes.map((_, box) => matcher.objectOf(box));
}

t.test('boxes go to the object they fit best, each object has one', (t) => {
  const objects: Box[] = [
    [0, 0, 10, 10],
    [8, 0, 10, 10],
  ];
  const boxes: Box[] = [
    [7, 0, 10, 10],
    [1, 0, 10, 10],
    [300, 0, 10, 10],
  ];
  t.same(match(objects, boxes), [1, 0, -1]);
  t.same(match([[0, 0, 10, 10]], [[10, 0, 10, 10]]), [0], 'what is near without overlap');
  t.same(match([[0, 0, 10, 10]], [[12, 0, 30, 30]]), [-1], 'what is much larger is something else');
  t.same(match([], boxes), [-1, -1, -1]);
  t.same(match(objects, []), []);
  t.end();
});

t.test('pairs are matched as if the best were taken one after the other', (t) => {
  let state = 3;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  const crowd = (n: number) =>
    Array.from({ length: n }, (): Box => [random() * 200, random() * 200, 20 + random() * 30, 40]);
  const matcher = new Matcher();
  for (let turn = 0; turn < 50; turn += 1) {
    // Beyond the room that lists have at first.
    const [objects, boxes] = [crowd(turn * 2), crowd(100 - turn)];
    const pairs = objects
      .flatMap((a, object) => boxes.map((b, box) => ({ object, box, fit: overlapOf(a, b) })))
      .filter(({ fit }) => fit >= 0.1)
      .sort((a, b) => b.fit - a.fit);
    const owners = new Map<number, number>();
    const taken = new Set<number>();
    for (const { object, box } of pairs) {
      if (owners.has(box) || taken.has(object)) continue;
      owners.set(box, object);
      taken.add(object);
    }
    const found = match(objects, boxes, matcher);
    t.ok(
      [...owners].every(([box, object]) => found[box] === object),
      `${objects.length} objects, ${boxes.length} boxes, ${owners.size} overlap`,
    );
    const known = found.filter((object) => object !== -1);
    t.equal(new Set(known).size, known.length, 'each object once');
  }
  t.end();
});

t.test('a variant that hardly saw it says little by not seeing it', (t) => {
  const doubt = new Doubt();
  for (let look = 0; look < 50; look += 1) doubt.hit('large');
  for (let look = 0; look < 50; look += 1) {
    doubt.miss('small');
    doubt.hit('large');
  }
  for (let look = 0; look < 300; look += 1) doubt.miss('small');
  t.notOk(doubt.isEnough(), 'a variant that never saw it');
  for (let look = 0; look < 5; look += 1) doubt.miss('large');
  t.ok(doubt.isEnough(), 'one that always did');
  t.end();
});

t.test('a parked car that flickers, and is hidden for a minute, is one event in an hour', (t) => {
  const presence = presenceOf();
  let state = 7;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  const ids = new Set<string>();
  let begun = 0;
  let stationary = false;
  for (let at = 0; at < 3_600_000; at += 200) {
    const hidden = at > 600_000 && at < 660_000;
    const shown = !hidden && random() < 0.6;
    const jitter = (random() - 0.5) * 6;
    const events = presence.update(
      result(at, shown ? [thing('car', [100 + jitter, 100, 80, 40], 0.7)] : []),
    );
    for (const event of events) {
      ids.add(event.id);
      if (event.type === 'new') begun += 1;
      stationary = event.stationary;
    }
  }
  t.equal(begun, 1);
  t.equal(ids.size, 1);
  t.ok(stationary);
  t.end();
});

t.test('a second car beside the parked one is new, and so is one that comes after it left', (t) => {
  const presence = presenceOf();
  const begun: string[] = [];
  const play = (from: number, until: number, boxes: readonly Box[]) => {
    for (let at = from; at < until; at += 200) {
      const events = presence.update(
        result(
          at,
          boxes.map((box) => thing('car', box)),
        ),
      );
      begun.push(...events.filter(({ type }) => type === 'new').map(({ id }) => id));
    }
  };
  play(0, 20_000, [CAR]);
  play(20_000, 40_000, [CAR, [300, 100, 80, 40]]);
  t.equal(begun.length, 2);
  t.match(presence.present(), [{ label: 'car', count: 2 }]);
  play(40_000, 60_000, []);
  t.same(presence.present(), []);
  play(60_000, 80_000, [[500, 100, 80, 40]]);
  t.equal(begun.length, 3);
  t.end();
});

t.test('a car or a truck in one place is one vehicle; two beside each other are two', (t) => {
  const presence = presenceOf({ groups: { vehicle: ['car', 'truck'] }, keep: ['vehicle'] });
  const flips = (at: number) => [
    thing(at % 400 === 0 ? 'car' : 'truck', CAR, 0.9),
    thing(at % 400 === 0 ? 'truck' : 'car', [102, 101, 80, 40], 0.7),
  ];
  let begun = 0;
  for (let at = 0; at < 10_000; at += 200) {
    const far = thing('car', [400, 100, 80, 40]);
    const events = presence.update(result(at, at < 5000 ? flips(at) : [...flips(at), far]));
    begun += events.filter(({ type }) => type === 'new').length;
    if (at === 4800) t.equal(begun, 1);
  }
  t.equal(begun, 2);
  t.end();
});

t.test('at most 64 objects are followed, and what is present is not given up', (t) => {
  const presence = presenceOf();
  const crowd = (n: number, top: number) =>
    Array.from({ length: n }, (_, i) => thing('person', [(i % 20) * 40, top + i * 4, 20, 20]));
  for (let at = 0; at < 2000; at += 200) presence.update(result(at, crowd(40, 0)));
  t.equal(presence.open().length, 40);
  for (let at = 2000; at < 4000; at += 200) {
    presence.update(result(at, [...crowd(40, 0), ...crowd(60, 2000)]));
  }
  t.equal(presence.open().length, 64);
  t.end();
});

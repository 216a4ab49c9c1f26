import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import t, { type Test } from 'tap';
import type { Frame } from '#mobilenetd/camera/source.js';
import { loadConfig } from '#mobilenetd/config/load.js';
import type { EventPictures } from '#mobilenetd/daemon/context.js';
import { createLog } from '#mobilenetd/daemon/diagnostics/log.js';
import type { Messaging } from '#mobilenetd/daemon/messaging.js';
import { startEventPictures } from '#mobilenetd/daemon/outputs/event-pictures.js';
import { shapedPicture } from '#mobilenetd/daemon/outputs/page-pictures.js';
import { NO_SIGHTINGS, type Sighting } from '#mobilenetd/daemon/sightings.js';
import { Signals } from '#mobilenetd/daemon/signals.js';
import type { Result } from '#mobilenetd/inference/result.js';
import { SILENT } from '#mobilenetd/log.js';
import type { PresenceEvent } from '#mobilenetd/presence/event.js';
import type { Store } from '#mobilenetd/store/store.js';
import { eventually } from '../../eventually.js';
import { createFakeClock } from '../../fake-clock.js';
import { WHOLE_PICTURE } from '../../whole-picture.js';

function frameOf(camera: string, sequence: number, grey: number): Frame {
  const [width, height] = [64, 48];
  return {
    camera,
    sequence,
    capturedAt: 0,
    time: 1000 * sequence,
    width,
    height,
    format: 'rgb24',
    range: 'full',
    bytes: new Uint8Array(width * height * 3).fill(grey),
  };
}

function eventOf(id: string, type: PresenceEvent['type'], camera = 'front'): PresenceEvent {
  return {
    ...{ id, type, camera, label: 'person', score: 0.9, start: 0, end: null, model: 'm' },
    ...{ alpha: null, size: 300, count: 1, box: [8, 8, 16, 16] as const },
    ...WHOLE_PICTURE,
  };
}

function setUp(t: Test, settings: Record<string, unknown> = {}, before?: Record<string, string>) {
  const state = t.testdir(before === undefined ? {} : { pictures: before });
  const flags = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [`store.pictures.${key}`, value]),
  );
  const { config } = loadConfig({
    env: {},
    systemFile: '/none',
    flags: { state_dir: state, ...flags },
  });
  const signals = new Signals(SILENT);
  const eventPictures: EventPictures = { shelf: null, isWanted: () => false, figures: () => null };
  const log = createLog({ level: 'silent', format: 'json', destination: process.stderr });
  const store = {
    hasEvent: () => null,
    certainTime: () => 0,
    onRemoved: (listener: (ids: readonly string[]) => void) => {
      removed = listener;
      return () => {};
    },
  } as unknown as Store;
  let removed: (ids: readonly string[]) => void = () => {};
  /** What was told to the broker: pictures and events that go without. */
  const told: string[] = [];
  const publisher = {
    setSnapshot: (camera: string, _: Uint8Array, event: PresenceEvent, time: number) => {
      told.push(`${camera} ${event.id} of ${time}`);
      t.ok(
        settings.enabled === false || eventPictures.shelf?.timeOf(event.id) === time,
        'it is kept before it is told',
      );
    },
    withoutPicture: ({ id }: PresenceEvent) => told.push(`none of ${id}`),
  };
  const messaging = { publisher } as unknown as Messaging;
  const clock = createFakeClock();
  const stop = startEventPictures({ clock, config, signals, store, log, eventPictures, messaging });
  /** A frame is labelled and causes events, as the recorder tells it. */
  const label = (
    frame: Frame,
    events: readonly PresenceEvent[],
    sequence = frame.sequence,
    sightings: ReadonlyMap<string, Sighting> = NO_SIGHTINGS,
  ) => {
    const result = { camera: frame.camera, sequence } as Result;
    if (events.length > 0) signals.emit('events', { events, result, sightings });
    signals.emit('labelled', { result, frame });
    // The bytes are the source's again.
    frame.bytes.fill(0);
  };
  const settle = async () => (await stop) instanceof Function && (await (await stop)());
  return {
    remove: (...ids: string[]) => removed(ids),
    state,
    label,
    eventPictures,
    settle,
    told,
    signals,
  };
}

async function greyOf(jpeg: Uint8Array): Promise<number> {
  const { channels } = await sharp(jpeg).stats();
  return Math.round(channels[0]?.mean ?? -1);
}

t.test('an event has the picture of its own frame, with two cameras at once', async (t) => {
  const { label, eventPictures, settle } = setUp(t);
  const shelf = eventPictures.shelf;
  label(frameOf('front', 1, 10), []);
  label(frameOf('front', 2, 100), [eventOf('a', 'new'), eventOf('b', 'new')]);
  label(frameOf('back', 2, 200), [eventOf('c', 'new', 'back')]);
  label(frameOf('front', 3, 30), []);
  await settle();
  for (const [id, grey] of [
    ['a', 100],
    ['b', 100],
    ['c', 200],
  ] as const) {
    const picture = await shelf?.read(id);
    t.equal(await greyOf(picture?.jpeg ?? Uint8Array.of()), grey, id);
    t.match(picture?.note, { label: 'person', width: 64, height: 48, box: [8, 8, 16, 16] });
  }
});

t.test('an event whose frame is not the next one gets no wrong picture', async (t) => {
  const { state, label, settle, told } = setUp(t);
  label(frameOf('front', 2, 10), [eventOf('other', 'new')], 1);
  await settle();
  t.same(told, ['none of other'], 'its message need not wait');
  t.same(readdirSync(join(state, 'pictures')), []);
});

t.test('the picture of an object shows it where the frame does, or is not taken', async (t) => {
  const { label, eventPictures, settle, told } = setUp(t);
  const shelf = eventPictures.shelf;
  const moved = { score: 0.7, box: [30, 20, 16, 16] as const };
  const a: PresenceEvent = { ...eventOf('a', 'new'), object: 'a' };
  label(frameOf('front', 1, 50), [a], 1, new Map([['a', moved]]));
  // An event of before, that has no picture: its update comes with a frame in which it is hidden.
  const b: PresenceEvent = { ...eventOf('b', 'update'), object: 'b' };
  label(frameOf('front', 2, 90), [b]);
  t.same(told, ['none of b'], 'its message need not wait');
  label(frameOf('front', 3, 120), [b], 3, new Map([['b', moved]]));
  await settle();
  for (const [id, grey] of [
    ['a', 50],
    ['b', 120],
  ] as const) {
    const picture = await shelf?.read(id);
    t.equal(await greyOf(picture?.jpeg ?? Uint8Array.of()), grey, id);
    t.match(picture?.note, moved, 'not where and how well it was seen in its best moment');
  }
});

t.test('better frames come rarely, and a burst is bounded', async (t) => {
  const { label, eventPictures, settle } = setUp(t);
  const shelf = eventPictures.shelf;
  label(frameOf('front', 1, 50), [eventOf('a', 'new')]);
  label(frameOf('front', 2, 90), [eventOf('a', 'update')]);
  for (let each = 0; each < 50; each += 1) {
    label(frameOf('front', 3 + each, 90), [eventOf(`burst-${each}`, 'new')]);
  }
  await settle();
  t.equal(
    await greyOf((await shelf?.read('a'))?.jpeg ?? Uint8Array.of()),
    50,
    'not within seconds',
  );
  t.ok(shelf?.has('burst-0'));
  t.notOk(shelf?.has('burst-49'), 'frames do not wait without a bound');
});

t.test('small, drawn on or not kept at all', async (t) => {
  const small = setUp(t, { width: 64, draw: true });
  const shelf = small.eventPictures.shelf;
  small.label(frameOf('front', 1, 50), [eventOf('a', 'new')]);
  await small.settle();
  const picture = await shelf?.read('a');
  t.not(await greyOf(picture?.jpeg ?? Uint8Array.of()), 50, 'something is drawn');
  if (picture != null) {
    const crop = await sharp(await shapedPicture(picture, 'crop')).metadata();
    t.match([crop.width, crop.height], [20, 20], 'the box and a little around it');
    t.equal((await sharp(await shapedPicture(picture, 'thumb')).metadata()).width, 248);
  }
  const off = setUp(t, { enabled: false });
  off.label(frameOf('front', 1, 50), [eventOf('a', 'new')]);
  await off.settle();
  t.equal(off.eventPictures.shelf, null);
  t.same(off.told, ['front a of 1000'], 'shown, all the same');
});

t.test('of a camera that shows something else by now nothing is told', async (t) => {
  const { label, settle, told, signals } = setUp(t);
  label(frameOf('front', 1, 50), [eventOf('a', 'new'), eventOf('b', 'new')]);
  signals.emit('cameras', { cameras: [], added: [], removed: [], rebuilt: ['front'] });
  await settle();
  t.same(told, ['none of a', 'none of b']);
});

t.test('pictures of before are looked after when no more are kept', async (t) => {
  const before = { 'old.jpg': 'x', 'kept.jpg': 'x', 'half.jpg.part': 'x' };
  const { state, settle, remove, eventPictures } = setUp(t, { enabled: false }, before);
  const names = () => readdirSync(join(state, 'pictures')).sort();
  t.same(names(), ['kept.jpg', 'old.jpg'], 'what a kill left half written has gone');
  remove('old', 'never');
  t.ok(await eventually(() => names().join() === 'kept.jpg'), 'with its event');
  t.equal(eventPictures.shelf, null);
  await settle();
  const none = setUp(t, { enabled: false });
  t.same(readdirSync(none.state), [], 'no folder where none is needed');
  await none.settle();
});

import { existsSync } from 'node:fs';
import { parseSize } from '../../config/schema/formats.js';
import { messageOf } from '../../errors.js';
import { createRepeatingLog } from '../../log.js';
import { PictureShelf } from '../../store/picture-shelf.js';
import { pictureFolder } from '../../store/pictures.js';
import { every } from '../../time.js';
import type { Context } from '../context.js';
import type { StopOutput } from './output.js';
import { PictureKeeper } from './picture-keeper.js';

const FIRST_SWEEP_MS = 60_000;
const SWEEP_MS = 600_000;

type Using = Pick<
  Context,
  'clock' | 'config' | 'signals' | 'store' | 'log' | 'eventPictures' | 'messaging'
>;

/**
 * Gives each event a picture of its best frame: kept in the state folder, and then shown as the camera's
 * snapshot; the message about the event waits for both, within bounds. It is coded and written off the
 * way of the frames: what the disk cannot take in time is left out, and counted.
 */
export function startEventPictures(using: Using): StopOutput {
  const { config, signals, log, eventPictures, messaging } = using;
  const { pictures } = config.store;
  const bounds = { days: pictures.days, maxBytes: parseSize(pictures.max_size) };
  // Switched off, pictures of before still age, and go with their events.
  const isThere = pictures.enabled || existsSync(pictureFolder(config.state_dir));
  const all = isThere ? new PictureShelf(config.state_dir, bounds) : null;
  const shelf = pictures.enabled ? all : null;
  all?.removeUnfinished();
  const keeper = new PictureKeeper({
    clock: using.clock,
    shelf,
    settings: pictures,
    onPicture: (event, jpeg, { time }) =>
      messaging.publisher.setSnapshot(event.camera, jpeg, event, time),
    onNone: (event) => messaging.publisher.withoutPicture(event),
    repeating: createRepeatingLog(log, { clock: using.clock }),
  });
  eventPictures.shelf = shelf;
  eventPictures.isWanted = (event) => keeper.isWanted(event);
  eventPictures.figures = () => keeper.figures();
  const stops = [
    signals.on('events', ({ events, result, sightings }) => {
      if (result !== null) keeper.want(events, result, sightings);
    }),
    signals.on('labelled', ({ frame }) => keeper.take(frame)),
    signals.on('cameras', ({ rebuilt, removed }) => {
      for (const name of [...rebuilt, ...removed]) keeper.changed(name);
    }),
    ...(all === null ? [] : tidy(all, using)),
  ];
  return async () => {
    for (const stop of stops) stop();
    eventPictures.isWanted = () => false;
    await keeper.finish();
    eventPictures.shelf = null;
  };
}

/** Keeps the shelf without pictures that are too old, or of events that are gone. */
function tidy(shelf: PictureShelf, { clock, config, store, log }: Using): readonly (() => void)[] {
  const repeating = createRepeatingLog(log, { clock });
  const { days } = config.store.pictures;
  const failed = (error: unknown) =>
    repeating.warn('sweep', `pictures of events: ${messageOf(error)}`);
  const sweep = () => {
    shelf.sweep((id) => store.hasEvent(id), store.certainTime(days)).catch(failed);
  };
  shelf.count().catch(failed);
  return [
    clock.setTimer(sweep, FIRST_SWEEP_MS),
    every(clock, SWEEP_MS, sweep),
    store.onRemoved((ids) => {
      removeAll(shelf, ids).catch(failed);
    }),
  ];
}

/** One after the other: thousands at once would keep the disk from everybody else. */
async function removeAll(shelf: PictureShelf, ids: readonly string[]): Promise<void> {
  for (const id of ids) await shelf.remove(id);
}

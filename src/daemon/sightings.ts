import type { Box, Result } from '../inference/result.js';
import type { PresenceEvent } from '../presence/event.js';
import type { PresentObject } from '../presence/presence.js';

/** What a result says of the object of an event. */
export interface Sighting {
  readonly score: number;
  readonly box: Box;
}

/** Nobody is looked for. */
export const NO_SIGHTINGS: ReadonlyMap<string, Sighting> = new Map();

/**
 * What a result says of the objects of events, by the id of the event: an event has the box and the score of its
 * best moment, which may be a second ago. Those that the result does not show are not among them.
 *
 * @param objects those that are present after the result
 */
export function sightingsOf(
  events: readonly PresenceEvent[],
  { labels }: Result,
  objects: () => readonly PresentObject[],
): ReadonlyMap<string, Sighting> {
  if (events.every(({ object }) => object === null)) return NO_SIGHTINGS;
  const found = new Map<string, Sighting>();
  for (const { eventId, box } of objects()) {
    const seen = labels.find((label) => label.box !== null && isSame(label.box, box));
    if (seen !== undefined) found.set(eventId, { score: seen.score, box });
  }
  return found;
}

function isSame(one: Box, other: Box): boolean {
  return one.every((side, place) => side === other[place]);
}

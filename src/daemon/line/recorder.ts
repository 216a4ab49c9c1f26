import { Scene } from '../../camera/pixels/scene.js';
import type { Frame } from '../../camera/source.js';
import type { Result } from '../../inference/result.js';
import type { OutgoingMessage } from '../../mqtt/message.js';
import type { PresenceEvent, ZoneState } from '../../presence/event.js';
import type { Instant, Presence, SubLabel } from '../../presence/presence.js';
import type { OutgoingNotice } from '../../store/notices.js';
import { endOf, type Store } from '../../store/store.js';
import { NO_SIGHTINGS, sightingsOf } from '../sightings.js';
import type { Signals } from '../signals.js';

/** A camera as the recorder sees it. */
export interface RecordedCamera {
  readonly name: string;
  readonly presence: Presence;
  /** The result with short label names, without labels this camera does not keep. */
  filter(result: Result): Result;
}

export interface RecorderOptions {
  readonly store: Pick<Store, 'recordEvents' | 'recordResult' | 'openEvents' | 'followClock'>;
  /**
   * The messages that go out with events, recorded in one transaction with them; `result` is the one
   * that caused them, if any did.
   */
  readonly messagesOf: (
    events: readonly PresenceEvent[],
    result: Result | null,
  ) => OutgoingMessage[];
  /** What rules tell of events, recorded in the same transaction; default: nothing. */
  readonly noticesOf?: (events: readonly PresenceEvent[]) => readonly OutgoingNotice[];
  readonly signals: Signals;
}

/** The way of a result to presence and into the database; onlookers are told after the commit. */
export class Recorder {
  readonly #store: RecorderOptions['store'];
  readonly #messagesOf: RecorderOptions['messagesOf'];
  readonly #noticesOf: (events: readonly PresenceEvent[]) => readonly OutgoingNotice[];
  readonly #signals: Signals;
  #isMixed = true;
  /** What each camera looks at. */
  readonly #scenes = new WeakMap<Presence, Scene>();

  constructor({ store, messagesOf, noticesOf, signals }: RecorderOptions) {
    this.#store = store;
    this.#messagesOf = messagesOf;
    this.#noticesOf = noticesOf ?? (() => []);
    this.#signals = signals;
  }

  /**
   * Ends what a process that was killed left open; returns how many events that were.
   *
   * @param cameras names of those there are now: of others nothing is shown any more
   */
  recover(cameras: ReadonlySet<string>): number {
    const ended = this.#store.openEvents().map(endOf);
    this.#store.recordEvents(ended, this.#messagesOf(ended, null));
    const events = ended.filter(({ camera }) => cameras.has(camera));
    if (events.length > 0) this.#signals.emit('presence', { events });
    return ended.length;
  }

  /** Whether more than one variant may look at a camera; until this is called: it may. */
  setMixed(isMixed: boolean): void {
    this.#isMixed = isMixed;
  }

  #sceneOf(presence: Presence): Scene {
    const known = this.#scenes.get(presence);
    if (known !== undefined) return known;
    const made = new Scene();
    this.#scenes.set(presence, made);
    return made;
  }

  /** A frame of a camera was labelled. */
  record(camera: RecordedCamera, result: Result, frame: Frame): void {
    this.#store.followClock();
    const kept = camera.filter(result);
    // One variant sees a change only where there is one: pictures need not be compared.
    const isNews = !this.#isMixed || this.#sceneOf(camera.presence).isNews(result.model, frame);
    this.#commit(camera.presence.update(kept, isNews), kept, camera.presence);
    this.#tellZones(camera.presence);
    this.#store.recordResult(kept, eventIdsOf(camera.presence), frame.unmoved);
    this.#signals.emit('labelled', { result: kept, frame });
  }

  /** A second network has named the object of an event; false: it has ended, or that is no news. */
  name({ presence }: RecordedCamera, eventId: string, sub: SubLabel): boolean {
    this.#store.followClock();
    const events = presence.name(eventId, sub);
    this.#commit(events, null);
    return events.length > 0;
  }

  /** Lets off delays run out. */
  tick(cameras: Iterable<RecordedCamera>, now: Instant): void {
    this.#store.followClock();
    for (const { presence } of cameras) {
      this.#commit(presence.tick(now), null);
      this.#tellZones(presence);
    }
  }

  /** The wall clock was set by `ms`: tells again what is present, with the time it began. */
  moveTimes(cameras: Iterable<RecordedCamera>, ms: number): void {
    for (const { presence } of cameras) {
      presence.shift(ms);
      this.#commit(presence.open(), null);
      this.#emitZones(presence.zones());
    }
  }

  /** Ends everything that is present in front of a camera. */
  end(camera: RecordedCamera): void {
    this.#commit(camera.presence.end(), null);
    this.#tellZones(camera.presence);
  }

  /** After the events that say so. */
  #tellZones(presence: Presence): void {
    this.#emitZones(presence.zoneChanges());
  }

  #emitZones(states: readonly ZoneState[]): void {
    if (states.length > 0) this.#signals.emit('zones', { states });
  }

  #commit(events: readonly PresenceEvent[], result: Result | null, presence?: Presence): void {
    if (events.length === 0) return;
    const messages = this.#messagesOf(events, result);
    const recorded = this.#store.recordEvents(events, messages, this.#noticesOf(events));
    this.#signals.emit('presence', { events });
    if (!recorded) return;
    const isSeen = result !== null && presence !== undefined;
    const sightings = isSeen ? sightingsOf(events, result, () => presence.objects()) : NO_SIGHTINGS;
    this.#signals.emit('events', { events, result, sightings });
  }
}

const NONE: ReadonlyMap<string, string> = new Map();

/** The running event of each label. */
function eventIdsOf(presence: Presence): ReadonlyMap<string, string> {
  const present = presence.present();
  if (present.length === 0) return NONE;
  const ids = new Map<string, string>();
  for (const { label, eventId } of present) ids.set(label, eventId);
  return ids;
}

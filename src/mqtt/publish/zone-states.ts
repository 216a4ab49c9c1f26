import type { ZoneState } from '../../presence/event.js';
import type { Clock } from '../../time.js';
import type { Topics } from '../topics.js';
import { EMPTY_ZONE, zoneAttributes } from './payloads.js';
import type { RetainedState } from './retained.js';
import type { TopicWriter } from './topic-writer.js';

/** A zone of a camera, and the labels that are announced as OFF before they are ever seen in it. */
export interface PublishedZone {
  readonly name: string;
  readonly labels: readonly string[];
}

interface ZonedCamera {
  readonly name: string;
  readonly zones?: readonly PublishedZone[];
}

type ZoneLabel = Pick<ZoneState, 'camera' | 'zone' | 'label'>;

/** What the retained topics say about labels in zones. */
export class ZoneStates {
  readonly #topics: Topics;
  readonly #retained: RetainedState;
  readonly #writer: TopicWriter;
  readonly #clock: Clock;
  /** Every label with a topic in a zone, and what is in those that are not empty. */
  readonly #known = new Map<string, ZoneLabel>();
  readonly #occupied = new Map<string, ZoneState>();

  constructor(topics: Topics, retained: RetainedState, writer: TopicWriter, clock: Clock) {
    this.#topics = topics;
    this.#retained = retained;
    this.#writer = writer;
    this.#clock = clock;
  }

  /** The cameras there are from now on: zones that are no more are OFF and then taken back. */
  set(cameras: readonly ZonedCamera[]): void {
    const zones = new Set(
      cameras.flatMap(({ name, zones = [] }) => zones.map((zone) => `${name}\n${zone.name}`)),
    );
    for (const [key, state] of [...this.#known]) {
      if (!zones.has(`${state.camera}\n${state.zone}`)) void this.#takeBack(key, state);
    }
    for (const { name: camera, zones = [] } of cameras) {
      for (const { name: zone, labels } of zones) {
        for (const label of labels) this.#announce({ camera, zone, label });
      }
    }
  }

  show(state: ZoneState): void {
    const { camera, zone, label, count } = state;
    const key = keyOf(state);
    this.#known.set(key, { camera, zone, label });
    const isThere = count > 0;
    if (isThere) {
      this.#occupied.set(key, state);
      this.#writer.zone(camera, zone, label, 'zoneAttributes', zoneAttributes(state));
    } else {
      this.#occupied.delete(key);
    }
    this.#writer.zone(camera, zone, label, 'zonePresence', isThere ? 'ON' : 'OFF');
    if (!isThere) this.#writer.zone(camera, zone, label, 'zoneAttributes', zoneAttributes(state));
  }

  /** Nobody is anywhere any more. */
  end(): void {
    for (const state of [...this.#occupied.values()]) this.show(this.#emptied(state));
  }

  #emptied(state: ZoneState): ZoneState {
    const since = this.#clock.wall();
    return { ...state, since, count: 0, score: 0, loitering: false, events: [] };
  }

  #announce(state: ZoneLabel): void {
    const key = keyOf(state);
    if (this.#known.has(key)) return;
    const { camera, zone, label } = state;
    this.#known.set(key, state);
    this.#writer.zone(camera, zone, label, 'zonePresence', 'OFF');
    this.#writer.zone(camera, zone, label, 'zoneAttributes', EMPTY_ZONE);
  }

  async #takeBack(key: string, { camera, zone, label }: ZoneLabel): Promise<void> {
    const state = this.#occupied.get(key);
    this.#known.delete(key);
    if (state !== undefined) this.show(this.#emptied(state));
    this.#known.delete(key);
    await this.#retained.settled();
    if (this.#known.has(key)) return;
    const topics = this.#topics.camera(camera);
    this.#retained.clear(topics.zonePresence(zone, label));
    this.#retained.clear(topics.zoneAttributes(zone, label));
  }
}

function keyOf({ camera, zone, label }: ZoneLabel): string {
  return `${camera}\n${zone}\n${label}`;
}

import type { PresenceEvent } from '../presence/event.js';
import { countEvents, type EventCount } from './counts.js';
import type { Detection } from './detections.js';
import type { OpenEvent } from './events.js';
import type { GovernorEntry } from './governor-log.js';
import { eventsById, type Query, queryDetections, queryEvents } from './query.js';
import type { Reopening } from './reopening.js';

/** What is asked of a database that may fail: nothing is there meanwhile. The contract says what each means. */
export abstract class StoredHistory {
  protected abstract readonly database: Reopening;

  governorLog(since: number, limit: number): GovernorEntry[] {
    return this.database.read((session) => session.governor.since(since, limit)) ?? [];
  }

  openEvents(): OpenEvent[] {
    return this.database.read((session) => session.events.open()) ?? [];
  }

  detections(query: Query): Iterable<Detection> {
    return this.database.read((session) => queryDetections(session.database, query)) ?? [];
  }

  events(query: Query): Iterable<PresenceEvent> {
    return this.database.read((session) => queryEvents(session.database, query)) ?? [];
  }

  countEvents(since: number, label: string | null): readonly EventCount[] {
    return this.database.read((session) => countEvents(session.database, since, label)) ?? [];
  }

  event(id: string): PresenceEvent | null {
    const found = this.database.read((session) => eventsById(session.database, id, 1)) ?? [];
    return found.find((event) => event.id === id) ?? null;
  }

  hasEvent(id: string): boolean | null {
    // What waits for the disk is in no table.
    if (!this.database.writable()) return null;
    return this.database.read((session) => session.events.has(id)) ?? null;
  }

  eventsLike(prefix: string, limit: number): readonly PresenceEvent[] {
    return this.database.read((session) => eventsById(session.database, prefix, limit)) ?? [];
  }
}

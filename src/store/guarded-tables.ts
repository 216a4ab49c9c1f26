import type { NoticeQueue } from './contract.js';
import type { NoticeTable } from './notices.js';
import type { Reopening } from './reopening.js';
import type { Settings } from './settings.js';

/** Settings in a database that may fail: nothing is there meanwhile, and nothing is kept. */
export function createSettings(database: Reopening): Settings {
  return {
    get: (key) => database.read((session) => session.settings.get(key)) ?? null,
    set: (key, value) =>
      database.write((session) => {
        session.settings.set(key, value);
        return true;
      }) ?? false,
    all: () => database.read((session) => session.settings.all()) ?? new Map(),
  };
}

/**
 * Notifications in a database that may fail: none waits meanwhile.
 *
 * @param onTold hears the id of each that waits no more
 */
export function createNoticeQueue(database: Reopening, onTold: (id: number) => void): NoticeQueue {
  const read = <T>(ask: (table: NoticeTable) => T, none: T): T =>
    database.read((session) => ask(session.notices)) ?? none;
  const write = (change: (table: NoticeTable) => number): number =>
    database.write((session) => change(session.notices)) ?? 0;
  return {
    next: (rule, channel) => read((table) => table.next(rule, channel), null),
    counts: () => read((table) => table.counts(), []),
    firings: (since) => read((table) => table.firings(since), []),
    remove: (id) => {
      onTold(id);
      return write((table) => table.remove(id));
    },
    trim: (rule, channel, rows, time) => write((table) => table.trim(rule, channel, rows, time)),
    clear: (rule, channel) => write((table) => table.clear(rule, channel)),
    shift: (step) =>
      void write((table) => {
        table.shift(step);
        return 0;
      }),
  };
}

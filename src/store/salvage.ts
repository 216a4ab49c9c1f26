import type { Harm } from './files.js';
import type { Salvaged } from './recent.js';
import type { Session } from './session.js';

/** Messages and notifications that are carried from a lost database into the next. */
const MESSAGES_SAVED = 10_000;
const NOTICES_SAVED = 10_000;

/** What of a database that nobody finds any more can still be read over its open connection. */
export function salvage(session: Session | null, harm: Harm): Salvaged | null {
  if (session === null || harm === 'log lost') return null;
  try {
    const messages = session.outbox.next(MESSAGES_SAVED, 0);
    const oldest = messages[0]?.created;
    const events = oldest === undefined ? [] : session.events.updatedSince(oldest);
    return {
      has: (id) => session.events.has(id),
      batches: [
        ...events.map((event) => ({ events: [event], messages: [], time: event.seen })),
        ...messages.map((message) => ({ events: [], messages: [message], time: message.created })),
      ],
      settings: session.settings.all(),
      notices: {
        waiting: session.notices.newestOf(NOTICES_SAVED),
        firings: session.notices.firings(0),
        isAll: true,
      },
    };
  } catch {
    return null;
  }
}

import type { OutgoingMessage } from '../mqtt/message.js';
import type { PresenceEvent } from '../presence/event.js';
import { shifted } from './events.js';
import type { LostNotices, PendingNotice } from './notices.js';
import type { EventBatch, Restoration } from './session.js';

/** Ended events, undelivered messages and notifications that are remembered. */
const EVENTS_KEPT = 1000;
const MESSAGES_KEPT = 2000;
const NOTICES_KEPT = 1000;

/** What can still be read of a database that was lost. */
export interface Salvaged extends Pick<Restoration, 'batches' | 'settings' | 'notices'> {
  /** Whether an event was still in it: what was forgotten does not come back. */
  readonly has: (id: string) => boolean;
}

interface Noted<T> {
  readonly item: T;
  readonly time: number;
}

/** Events that are open or recent, and messages on their way, as they were written last. */
export class RecentEvents {
  readonly #open = new Map<string, Noted<PresenceEvent>>();
  readonly #ended = new Map<string, Noted<PresenceEvent>>();
  readonly #messages = new Map<number, Noted<OutgoingMessage>>();
  readonly #notices = new Map<number, PendingNotice>();

  note(batch: EventBatch, firstMessageId: number, firstNoticeId: number): void {
    const { time, notices = [] } = batch;
    notices.forEach((notice, index) => {
      const id = firstNoticeId + index;
      this.#notices.set(id, { ...notice, id, created: Math.round(time) });
    });
    forgetOldest(this.#notices, NOTICES_KEPT);
    for (const item of batch.events) {
      this.#open.delete(item.id);
      if (item.end === null) this.#open.set(item.id, { item, time });
      else this.#ended.set(item.id, { item, time });
    }
    batch.messages.forEach((item, index) => {
      this.#messages.set(firstMessageId + index, { item, time });
    });
    forgetOldest(this.#ended, EVENTS_KEPT);
    forgetOldest(this.#messages, MESSAGES_KEPT);
  }

  /** An event was removed on purpose. */
  forget(id: string): void {
    this.#ended.delete(id);
  }

  /** The broker has these. */
  delivered(ids: Iterable<number>): void {
    for (const id of ids) this.#messages.delete(id);
  }

  /** A notification waits no more. */
  told(id: number): void {
    this.#notices.delete(id);
  }

  hasOpen(): boolean {
    return this.#open.size > 0;
  }

  /** The clock was set by `step` ms: what is known happened that much earlier or later. */
  shift(step: number): void {
    for (const notes of [this.#open, this.#ended]) {
      for (const [id, { item, time }] of notes) {
        notes.set(id, { item: shifted(item, step), time: time + step });
      }
    }
    for (const [id, notice] of this.#notices) {
      this.#notices.set(id, { ...notice, created: notice.created + step });
    }
  }

  /** Everything to write again; with the old database at hand, its messages instead of ours. */
  restoration(old: Salvaged | null): Restoration {
    const ended = [...this.#ended.values()].filter(({ item }) => old?.has(item.id) ?? true);
    const events = [...ended, ...this.#open.values()];
    const messages = old === null ? [...this.#messages.values()] : [];
    return {
      batches: [
        ...(old?.batches ?? []),
        ...events.map(({ item, time }) => ({ events: [item], messages: [], time })),
        ...messages.map(({ item, time }) => ({ events: [], messages: [item], time })),
      ],
      open: new Set(this.#open.keys()),
      settings: old?.settings ?? new Map(),
      notices: old?.notices ?? this.#lostNotices(),
    };
  }

  #lostNotices(): LostNotices {
    const waiting = [...this.#notices.values()];
    const firings = waiting
      .filter(({ cause }) => cause !== '')
      .map(({ rule, cause, created: time }) => ({ rule, cause, time }));
    return { waiting, firings, isAll: false };
  }
}

function forgetOldest(notes: Map<unknown, unknown>, kept: number): void {
  for (const key of notes.keys()) {
    if (notes.size <= kept) return;
    notes.delete(key);
  }
}

import type { Page } from 'playwright-core';

/** What a page was told or showed, in order. */
export type Note =
  | { readonly kind: 'state'; readonly at: number }
  | {
      readonly kind: 'event';
      readonly at: number;
      readonly id: string;
      readonly type: string;
      readonly label: string;
    }
  /** Names on the pictures, without their scores. */
  | { readonly kind: 'drawn'; readonly at: number; readonly labels: readonly string[] };

const NOTING = `
  window.notes = [];
  const note = (kind, of) => window.notes.push({ kind, at: Date.now(), ...of });
  const Source = window.EventSource;
  window.EventSource = class extends Source {
    constructor(url) {
      super(url);
      this.addEventListener('state', () => note('state', {}));
      this.addEventListener('event', ({ data }) => {
        const { id, type, label } = JSON.parse(data);
        note('event', { id, type, label });
      });
    }
  };
  let drawn = '';
  new MutationObserver(() => {
    const texts = [...document.querySelectorAll('.picture :is(.box, .name) text')];
    const labels = [...new Set(texts.map((text) => text.textContent.replace(/ \\d+ %$/, '')))];
    if (labels.join() === drawn) return;
    drawn = labels.join();
    note('drawn', { labels });
  }).observe(document, { childList: true, subtree: true, characterData: true });
`;

/** Begins to take notes; before the page goes anywhere. */
export async function takeNotes(page: Page): Promise<void> {
  await page.addInitScript(NOTING);
}

export function notesOf(page: Page): Promise<readonly Note[]> {
  return page.evaluate('window.notes');
}

export interface Appearance {
  /** States that the page was told between an event and its label on the picture: one comes every second. */
  readonly states: number;
  /** When the label was there, ms since the epoch; of the event when it was there before. */
  readonly at: number;
}

/** How an event's label came onto the picture; null: not yet. */
export function appearanceOf(notes: readonly Note[], id: string): Appearance | null {
  const begun = notes.findIndex(
    (note) => note.kind === 'event' && note.id === id && note.type === 'new',
  );
  const event = notes[begun];
  if (event?.kind !== 'event') return null;
  const shows = (note: Note | undefined) =>
    note?.kind === 'drawn' && note.labels.includes(event.label);
  if (shows(notes.slice(0, begun).findLast(({ kind }) => kind === 'drawn'))) {
    return { states: 0, at: event.at };
  }
  const after = notes.slice(begun);
  const drawn = after.findIndex(shows);
  if (drawn === -1) return null;
  const states = after.slice(0, drawn).filter(({ kind }) => kind === 'state').length;
  return { states, at: after[drawn]?.at ?? 0 };
}

import type { Harm } from './files.js';

/** What is said of a database whose files were harmed, and of what was done about it. */
export const HARM_STORY: Readonly<Record<Harm, { readonly found: string; readonly next: string }>> =
  {
    removed: {
      found: 'no file: it was removed while the daemon ran',
      next: 'a new one was begun; open and recent events, settings, waiting messages and notifications were written again',
    },
    replaced: {
      found: 'another file in its place',
      next: 'that one is used now; open and recent events, waiting messages and notifications were written again',
    },
    overwritten: {
      found: 'a file that was written over while it was in use',
      next: 'what it holds now is used; open and recent events were written again. Stop the daemon before you restore a backup',
    },
    'log lost': {
      found: 'its write-ahead log removed or cut short',
      next: 'it was opened again; open and recent events were written again',
    },
    'log overwritten': {
      found: 'its write-ahead log written over',
      next: 'it was opened again without it; open and recent events were written again',
    },
  };

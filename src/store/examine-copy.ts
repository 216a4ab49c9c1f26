import SQLite from 'better-sqlite3';
import { messageOf } from '../errors.js';
import { sqliteCode } from './damage.js';
import { type Forgetting, removeOthers } from './forget.js';

/** What is to be done with the copy of a database. */
export interface ExamineRequest {
  readonly file: string;
  /** All that is not in these bounds is removed first; null: nothing is. */
  readonly only: Forgetting | null;
}

export type ExamineAnswer =
  | { readonly ok: true; readonly events: number; readonly bytes: number }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** Makes one file of a copy, without companions, removes what is not wanted in it, and checks it. */
function examine({ file, only }: ExamineRequest): ExamineAnswer {
  const copy = new SQLite(file);
  try {
    // One file that needs no companion: whoever takes it away takes all of it.
    copy.pragma('journal_mode = DELETE');
    if (only !== null) removeOthers(copy, only);
    const verdict = String(copy.pragma('quick_check(1)', { simple: true }));
    if (verdict !== 'ok') throw new SQLite.SqliteError(verdict, 'SQLITE_CORRUPT');
    const events = Number(copy.prepare('SELECT count(*) FROM event').pluck().get());
    const pages = Number(copy.pragma('page_count', { simple: true }));
    return { ok: true, events, bytes: pages * Number(copy.pragma('page_size', { simple: true })) };
  } finally {
    copy.close();
  }
}

function answer(request: ExamineRequest): ExamineAnswer {
  try {
    return examine(request);
  } catch (error) {
    return { ok: false, code: sqliteCode(error), message: messageOf(error) };
  }
}

// Run as a program by backup.ts, with the request as its argument.
process.stdout.write(JSON.stringify(answer(JSON.parse(process.argv[2] ?? ''))));

// A database as a month fills it, for what measures questions to a large history.
import SQLite from 'better-sqlite3';
import { openStore } from '#mobilenetd/store/store.js';

/** Milliseconds that the rows are spread over. */
export const SPAN = 30 * 86_400_000;

/**
 * Makes a database with rows spread evenly over the 30 days before `now` (ms since the epoch): two cameras, 71
 * labels of which one is rare, events of 5 to 101 s and one in 5000 that lasts two hours longer.
 */
export function fillHistory(file, { detections, events, now }) {
  openStore({
    file,
    commitInterval: 2,
    detectionInterval: 1,
    retention: { days: 30, maxBytes: 1e12 },
    outbox: { maxAge: 1e6, maxRows: 1000 },
  }).close();
  const database = new SQLite(file);
  database.pragma('synchronous = OFF');
  database.exec(`
    INSERT INTO camera VALUES (1, 'front'), (2, 'back');
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 80)
      INSERT INTO label SELECT i, 'label ' || i FROM n;
    INSERT INTO variant VALUES (1, 'ssd', 1, 300);
    WITH RECURSIVE n(i) AS (SELECT 0 WHERE ${events} > 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${events} - 1)
      INSERT INTO event (uid, type, camera, label, variant, score, start, end, count, updated)
      SELECT printf('%08x-%d', i * 2654435761 % 4294967296, i), 'end', 1 + i % 2,
        CASE WHEN i % 1000 = 0 THEN 79 ELSE 1 + i * i % 70 END, 1, 0.8,
        ${now - SPAN} + CAST(i * (${SPAN}.0 / ${events}) AS INTEGER),
        ${now - SPAN} + CAST(i * (${SPAN}.0 / ${events}) AS INTEGER) + 5000 + i % 97 * 1000
          + CASE WHEN i % 5000 = 0 THEN 7200000 ELSE 0 END, 1, ${now} FROM n;
    WITH RECURSIVE n(i) AS (SELECT 0 WHERE ${detections} > 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${detections} - 1)
      INSERT INTO detection (time, camera, label, variant, score)
      SELECT ${now - SPAN} + CAST(i * (${SPAN}.0 / ${detections}) AS INTEGER), 1 + i % 2,
        CASE WHEN i % 100000 = 0 THEN 79 ELSE 1 + i * i % 70 END, 1, 0.5 FROM n;`);
  database.close();
}

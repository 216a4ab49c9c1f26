// What questions to a large history and its upkeep take: node bench/store.js [detections] [events]
// Default 5 000 000 detections and 1 000 000 events, about 1 GB in the temporary folder.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import { queryDetections, queryEvents } from '#mobilenetd/store/query.js';
import { openForReading } from '#mobilenetd/store/reading.js';
import { createRetention } from '#mobilenetd/store/retention.js';
import { fillHistory, SPAN } from './large-history.js';

const [detections = 5e6, events = 1e6] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-bench-'));
const file = join(folder, 'mobilenetd.db');
const NOW = Date.now();

function timed(name, work) {
  const began = performance.now();
  const before = process.cpuUsage();
  const answer = work();
  const { user, system } = process.cpuUsage(before);
  const cpu = `${((user + system) / 1000).toFixed(1)} ms of processor`;
  const wall = `${(performance.now() - began).toFixed(1)} ms`;
  console.log(`${name.padEnd(56)} ${wall.padStart(11)} (${cpu})  ${answer}`);
}

try {
  timed(`${detections} detections and ${events} events written`, () => {
    fillHistory(file, { detections, events, now: NOW });
    return `${(statSync(file).size / 1e6).toFixed(0)} MB`;
  });
  const database = openForReading(file);
  const all = Number.MAX_SAFE_INTEGER;
  const count = (rows) => {
    let n = 0;
    for (const _ of rows) n += 1;
    return `${n} rows`;
  };
  const ask = (name, rows) => timed(name, () => count(rows()));
  const hour = 3_600_000;
  ask('the newest 100 of a common label', () =>
    queryDetections(database, { label: 'label 1', limit: 100 }),
  );
  ask('the newest 100 of a rare label', () =>
    queryDetections(database, { label: 'label 79', limit: 100 }),
  );
  ask('all of a rare label', () => queryDetections(database, { label: 'label 79', limit: all }));
  ask('a label that is not there', () =>
    queryDetections(database, { label: 'unicorn', limit: all }),
  );
  ask('an hour of a common label, ten days ago', () =>
    queryDetections(database, {
      label: 'label 1',
      since: NOW - 240 * hour,
      until: NOW - 239 * hour,
      limit: all,
    }),
  );
  ask('a rare label of one camera', () =>
    queryDetections(database, { label: 'label 79', camera: 'back', limit: all }),
  );
  ask('events: the last hour', () => queryEvents(database, { since: NOW - hour, limit: all }));
  ask('events: an hour, twenty days ago', () =>
    queryEvents(database, { since: NOW - 480 * hour, until: NOW - 479 * hour, limit: all }),
  );
  ask('events: the last hour of a rare label', () =>
    queryEvents(database, { since: NOW - hour, label: 'label 79', limit: all }),
  );
  ask('events: the newest 100 of a rare label', () =>
    queryEvents(database, { label: 'label 79', limit: 100 }),
  );
  database.close();

  const writer = new SQLite(file);
  writer.pragma('journal_mode = WAL');
  writer.pragma('synchronous = NORMAL');
  // The store makes its checkpoints between two sweeps.
  writer.pragma('wal_autocheckpoint = 0');
  const held = [];
  const used = [];
  const checkpoints = [];
  const retention = createRetention(
    writer,
    { days: 30, maxBytes: 1e12 },
    { now: () => performance.now() },
  );
  const cutoff = NOW - SPAN + SPAN / 50;
  let removed = 0;
  for (let more = true; more; ) {
    const began = performance.now();
    const usedBefore = process.cpuUsage();
    const report = retention.sweep({ cutoff, certainCutoff: cutoff, believed: 'all' }, null);
    const { user, system } = process.cpuUsage(usedBefore);
    held.push(performance.now() - began);
    used.push((user + system) / 1000);
    if (statSync(`${file}-wal`).size >= 4e6) {
      const checkpointBegan = performance.now();
      writer.pragma('wal_checkpoint(TRUNCATE)');
      checkpoints.push(performance.now() - checkpointBegan);
    }
    removed += report.detections + report.events;
    more = report.more;
  }
  writer.close();
  const at = (figures, share) =>
    figures
      .sort((a, b) => a - b)
      [Math.min(figures.length - 1, Math.floor(figures.length * share))].toFixed(1);
  console.log(`retention: ${removed} rows in ${held.length} sweeps; each held the writer`);
  for (const [name, figures] of Object.entries({ wall: held, processor: used, checkpoints })) {
    console.log(
      `  ${name}: median ${at(figures, 0.5)} ms, 99 % ${at(figures, 0.99)} ms, longest ${at(figures, 1)} ms`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

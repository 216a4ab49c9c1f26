// What `mobilenetd events --since 1h` takes: node bench/events.js [EVENTS [DETECTIONS [TURNS]]] after a build.
// Default 10 000 000 of each, 2.1 GB in the temporary folder. The same command on an empty database and
// `--version` take turns with it, so that what the machine and the start of a program take can be told from what
// the rows take; then the question alone, in a program of its own each time (cold) and again in it (warm).
// Processor time of all threads, medians. Ends with 1 when the question takes more than its bar, the first time
// as well, while V8 compiles.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fillHistory } from './large-history.js';

const [events = 10e6, detections = 10e6, turns = 9] = process.argv.slice(2).map(Number);
const BAR_MS = 50;
/** When the newest row is, ms: filling the database takes minutes, and an hour before the end is asked for. */
const NOW = Date.now();
const SINCE = NOW - 3_600_000;
const folder = mkdtempSync(join(tmpdir(), 'mobilenetd-bench-'));
const [large, empty] = ['large', 'empty'].map((name) => join(folder, name));

/** Tells at the end of a program what it took, as the last line of its standard error. */
const TELL = `data:text/javascript,${encodeURIComponent(`
  import { writeSync } from 'node:fs';
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    writeSync(2, '\\n' + (user + system) / 1000);
  });`)}`;

function run(args, state = empty) {
  const { status, stderr, stdout } = spawnSync(process.execPath, ['--import', TELL, ...args], {
    env: { ...process.env, MOBILENETD_STATE: state },
    encoding: 'utf8',
    maxBuffer: 1e9,
  });
  if (status !== 0) throw new Error(stderr);
  return { ms: Number(stderr.trim().split('\n').at(-1)), lines: stdout.split('\n').length - 1 };
}

/** The question alone, in a program of its own: milliseconds the first time and the tenth. */
const ALONE = `
  const { queryBriefs } = await import('#mobilenetd/store/query.js');
  const { openForReading } = await import('#mobilenetd/store/reading.js');
  const database = openForReading(${JSON.stringify(join(large, 'mobilenetd.db'))});
  const ask = () => {
    const before = process.cpuUsage();
    for (const _ of queryBriefs(database, { since: ${SINCE}, limit: Number.MAX_SAFE_INTEGER }));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  console.log(JSON.stringify(Array.from({ length: 10 }, ask)));`;

function alone() {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', ALONE],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  const all = JSON.parse(stdout);
  return { cold: all[0], warm: all.at(-1) };
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const say = (name, values, more = '') =>
  console.log(
    `${name.padEnd(48)} ${median(values).toFixed(0).padStart(5)} ms, ${Math.min(...values).toFixed(0)} at least${more}`,
  );

try {
  for (const state of [large, empty]) mkdirSync(state);
  fillHistory(join(large, 'mobilenetd.db'), { detections, events, now: NOW });
  fillHistory(join(empty, 'mobilenetd.db'), { detections: 0, events: 0, now: NOW });
  const size = statSync(join(large, 'mobilenetd.db')).size / 1e6;
  console.log(`${events} events and ${detections} detections, ${size.toFixed(0)} MB`);
  const main = 'dist/cli/main.js';
  const hour = [main, 'events', '--since', new Date(SINCE).toISOString()];
  const found = { version: [], empty: [], large: [], newest: [], cold: [], warm: [] };
  let lines = 0;
  for (let turn = 0; turn < turns; turn += 1) {
    found.version.push(run([main, '--version']).ms);
    found.empty.push(run(hour).ms);
    found.newest.push(run([...hour, '--limit', '100'], large).ms);
    const { ms, lines: count } = run(hour, large);
    found.large.push(ms);
    lines = count;
    const { cold, warm } = alone();
    found.cold.push(cold);
    found.warm.push(warm);
  }
  say('mobilenetd --version', found.version);
  say('mobilenetd events --since 1h, empty', found.empty);
  say('mobilenetd events --since 1h --limit 100', found.newest);
  say('mobilenetd events --since 1h', found.large, `, ${lines} lines`);
  say('the question alone, first', found.cold);
  say('the question alone, tenth', found.warm);
  const missed = Math.max(median(found.cold), median(found.warm)) > BAR_MS;
  console.log(missed ? `MISSED: the bar is ${BAR_MS} ms for the question` : 'ok');
  process.exitCode = missed ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

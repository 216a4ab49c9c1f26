#!/usr/bin/env node
// Records the demo in a terminal for README: docs/pictures/terminal-demo.svg. Nothing in it is written by
// hand, and it is not believed either: the page must answer at the address that is shown, and the
// database must hold every event that is printed, at its time.
// usage: npm run build && node scripts/record-terminal.mjs [--check]
// With --check nothing is written: the kept picture is held against a new run.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { hasTmux, Terminal } from './recording/terminal.mjs';
import { linesOf, terminalSvg } from './recording/terminal-svg.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const FILE = `${root}docs/pictures/terminal-demo.svg`;
const SIZE = { columns: 76, rows: 30 };
const COMMAND = 'npx mobilenetd demo';
const EVENT = /^(\d\d:\d\d:\d\d) {2}\+ (.+?) {2,}[01]\.\d\d {2}/;
/** What the scene shows last, and takes away again. */
const LAST = /^\S+ {2}- cup /;
const DAY_S = 24 * 3600;

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
if (!hasTmux()) {
  console.log('SKIPPED: tmux is not installed');
  process.exit(0);
}
const rows = await record();
const problems = values.check ? differences(linesOf(readFileSync(FILE, 'utf8')), rows) : [];
if (!values.check) {
  const label = `A terminal: ${COMMAND} prints its addresses, then what it sees`;
  writeFileSync(FILE, terminalSvg({ rows, columns: SIZE.columns, title: COMMAND, label }));
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);

async function record() {
  // The database has UTC: so has the terminal.
  const env = { TZ: 'UTC', MOBILENETD_NODE: 'porch' };
  const terminal = new Terminal({ ...SIZE, cwd: root, env });
  try {
    // What is typed before there is a prompt is shown twice.
    await terminal.until((lines) => lines.at(-1)?.trim() === '$');
    terminal.type(COMMAND);
    const ready = await terminal.until((lines) => lines.some((line) => line.startsWith('stop ')));
    await requirePage(ready);
    await terminal.until((lines) => lines.some((line) => LAST.test(line)));
    terminal.press('C-c');
    const lines = await terminal.until((shown) => shown.length > 1 && shown.at(-1).trim() === '$');
    requireStored(lines);
    return terminal.recorded.slice(0, -1);
  } finally {
    terminal.close();
  }
}

function eventsIn(lines) {
  return lines.flatMap((line) => {
    const [, time, label] = EVENT.exec(line) ?? [];
    return label === undefined ? [] : [{ time, label }];
  });
}

async function requirePage(lines) {
  const url = lines.find((line) => line.startsWith('page '))?.split(/ +/)[1];
  const answer = await fetch(url);
  const text = await answer.text();
  if (!answer.ok || !text.includes('mobilenetd'))
    throw new Error(`${url} answers ${answer.status}`);
}

/** Every printed event is in the database that the demo names: one for each line, begun by the time of the line. */
function requireStored(lines) {
  const [, state] = lines.map((line) => /^kept +(\S+)/.exec(line)).find((match) => match) ?? [];
  const args = ['dist/cli/main.js', 'query', '--events', '--json', '--limit', '1000'];
  const env = { ...process.env, MOBILENETD_STATE: state };
  const stored = execFileSync(process.execPath, args, { cwd: root, env, encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  rmSync(state, { recursive: true });
  const printed = eventsIn(lines);
  for (const wanted of new Set(printed.map(({ label }) => label))) {
    const times = printed.flatMap(({ time, label }) => (label === wanted ? [time] : []));
    const starts = stored
      .flatMap(({ label, start }) => (label === wanted ? [start] : []))
      .sort()
      .slice(-times.length);
    for (const [index, time] of times.entries()) {
      if (starts[index] === undefined || !isBy(starts[index], time))
        throw new Error(`${wanted} at ${time} is not in the database`);
    }
  }
}

/** Whether a start, in ISO 8601, is not after a time of the clock of the same hours. */
function isBy(start, time) {
  const passed = secondsOf(time) - secondsOf(start.slice(11, 19));
  return ((passed % DAY_S) + DAY_S) % DAY_S < DAY_S / 2;
}

function secondsOf(time) {
  const [hours, minutes, seconds] = time.split(':').map(Number);
  return hours * 3600 + minutes * 60 + seconds;
}

/** What a picture shows that the program no longer says. */
function differences(kept, recorded) {
  const now = recorded.map(({ text }) => text);
  const labels = (lines) =>
    eventsIn(lines)
      .map(({ label }) => label)
      .sort();
  const head = (lines) =>
    lines
      .slice(0, lines.findIndex((line) => line.startsWith('stop ')) + 1)
      .filter((line) => line !== '')
      .map((line) => line.replace(/\d{4,5}\b/, 'PORT').replace(/demo-\w{6}/, 'demo-XXXXXX'));
  const pairs = [
    ['first lines', head(kept), head(now)],
    ['labels', labels(kept), labels(now)],
  ];
  return pairs.flatMap(([what, one, other]) =>
    JSON.stringify(one) === JSON.stringify(other)
      ? []
      : [`${FILE}: ${what} are ${JSON.stringify(one)}; a run now has ${JSON.stringify(other)}`],
  );
}

import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../daemon/app.js';
import { codedError } from '../errors.js';
import { eventPayload } from '../mqtt/publish/payloads.js';
import { systemClock } from '../time.js';
import { numberOption } from './arguments.js';
import { briefLog, NEVER_MS, STOP_DEADLINE_MS } from './brief-daemon.js';
import type { CommandContext, Register } from './command.js';
import { addNotes } from './help-layout.js';
import { Look } from './look.js';
import { endWith, writeJsonLine, writeLine } from './output.js';
import { requireCamera } from './require-camera.js';

/** Nothing was seen, and nothing was wrong. */
const NOTHING_SEEN = 3;
const POLL_MS = 50;

interface OnceFlags {
  readonly for: number;
  readonly publishWithin: number;
  readonly enough?: number;
  readonly json: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('once')
    .summary('look for some seconds, publish what was seen, and exit')
    .description(
      [
        'For timers, PIR sensors and trail cameras: starts, looks through every camera for a while, ends',
        'what was seen, hands it to the broker and exits. The history is that of the daemon. What the',
        'broker does not take in time stays in the database and goes out with the next start.',
      ].join('\n'),
    )
    .option(
      '--for <seconds>',
      'how long to look, from the first frame that was labelled',
      numberOption('--for', { min: 0.1, max: 86_400 }),
      10,
    )
    .option(
      '--enough <events>',
      'stop looking once so many things were seen',
      numberOption('--enough', { min: 1, max: 1000, integer: true }),
    )
    .option(
      '--publish-within <seconds>',
      'how long to wait for the broker afterwards',
      numberOption('--publish-within', { min: 0, max: 3600 }),
      10,
    )
    .option('--json', 'one JSON object a line: each event as it ended, then a summary', false)
    .action((flags: OnceFlags) => lookOnce(flags, context));
  addNotes(
    command,
    'Exit codes: 0 something was seen, 3 nothing was seen, 69 no camera delivered a frame; others as usual.',
  );
};

async function lookOnce(flags: OnceFlags, context: CommandContext): Promise<void> {
  const config = context.loadConfig({ 'status.listen': null });
  requireCamera(config);
  const { App } = await import('../daemon/app.js');
  const { Signals } = await import('../daemon/signals.js');
  const log = await briefLog(config, 'warn', context);
  const signals = new Signals(log);
  const look = new Look(signals);
  const daemon = new App({
    config,
    env: context.env,
    signal: context.signal,
    log,
    signals,
    profileAfterMs: NEVER_MS,
    onProgress: (text) => writeLine(context.stderr, text),
  });
  await daemon.start();
  let waiting = 0;
  try {
    await look.until(flags, context.signal);
    // What is present ends now, so that its end goes out with the rest.
    await daemon.context.cameras.stop();
    waiting = await publish(daemon, flags.publishWithin * 1000, context.signal);
  } finally {
    await daemon.stop(STOP_DEADLINE_MS);
  }
  if (look.frames === 0) {
    throw codedError('MND_CAMERA_STALLED', {
      subject: Object.keys(config.cameras).join(', '),
      expected: `a frame within ${flags.for} s`,
      found: 'none',
      next: 'see `mobilenetd doctor`, which tries each camera',
    });
  }
  print(look, waiting, daemon, flags, context);
  if (look.events.length === 0) throw endWith(NOTHING_SEEN);
}

/** Waits until the broker has everything; resolves with how many messages it has not. */
async function publish(daemon: App, limitMs: number, signal: AbortSignal): Promise<number> {
  const { store } = daemon.context;
  store.flush();
  const until = systemClock.now() + limitMs;
  while (store.outbox.depth() > 0 && systemClock.now() < until && !signal.aborted) {
    await delay(POLL_MS);
    // What is acknowledged leaves with a commit.
    store.flush();
  }
  return store.outbox.depth();
}

function print(
  look: Look,
  waiting: number,
  daemon: App,
  { json }: OnceFlags,
  { stdout, stderr }: CommandContext,
): void {
  if (json) {
    for (const event of look.events) writeJsonLine(stdout, eventPayload(event));
    writeJsonLine(stdout, {
      done: true,
      frames: look.frames,
      first_label_s: look.firstLabelS,
      seen: look.labels(),
      events: look.events.length,
      unpublished: waiting,
    });
  } else {
    for (const event of look.events) {
      const { camera, label, score, start, end } = event;
      const seconds = (((end ?? start) - start) / 1000).toFixed(1);
      writeLine(stdout, `${camera}  ${label}  ${score.toFixed(2)}  for ${seconds} s`);
    }
    const seen = Object.entries(look.labels()).map(([label, count]) => `${count} ${label}`);
    writeLine(stdout, seen.length === 0 ? 'nothing was seen' : `seen: ${seen.join(', ')}`);
  }
  if (waiting > 0) {
    const text = `${waiting} messages wait in the database for ${daemon.broker}`;
    writeLine(stderr, `${text}; they go out with the next start`);
  }
}

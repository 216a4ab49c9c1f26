import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { Option } from 'commander';
import { SCENE_NAMES, type SceneName } from '../camera/sources/demo/scene-names.js';
import type { Config } from '../config/config.js';
import { type LoadedConfig, loadConfig } from '../config/load.js';
import type { App } from '../daemon/app.js';
import type { Thermometer } from '../thermal/thermometer.js';
import { backgroundClock, sleep } from '../time.js';
import { numberOption } from './arguments.js';
import type { CommandContext, Register } from './command.js';
import { DemoLines } from './demo-lines.js';
import { jsonPrinter, readyFirst, textPrinter } from './demo-printer.js';
import { writeLine } from './output.js';
import { preferSmallHeap } from './small-heap.js';

const STOP_DEADLINE_MS = 5000;

interface DemoFlags {
  readonly for?: number;
  readonly fps?: number;
  readonly board?: string;
  readonly real: boolean;
  readonly speed: number;
  readonly ambient: number;
  readonly scene?: SceneName;
  readonly json: boolean;
}

export const register: Register = (program, context) => {
  program
    .command('demo')
    .summary('watch it work: a drawn camera, a broker and a database, nothing to set up')
    .description(
      [
        'Runs the whole daemon on a drawn scene (a stop sign, a traffic light, a clock, a photo of a cup;',
        'with --board one drawn thing after another; --scene mugs is there to teach from): real pixels, the',
        'real model, a broker on loopback',
        'unless mqtt.url is set, and a database in a temporary folder unless MOBILENETD_STATE is set.',
      ].join('\n'),
    )
    .option(
      '--for <seconds>',
      'stop after this time',
      numberOption('--for', { min: 0.1, max: 1e6 }),
    )
    .option(
      '--fps <rate>',
      'frames a second, 0.1 to 60 (default: 10; 30 with --board)',
      numberOption('--fps', { min: 0.1, max: 60 }),
    )
    .option(
      '--board <name>',
      'heat a simulated board, e.g. pi4-case, and walk the ladder of mobilenetd_things',
    )
    .option(
      '--speed <factor>',
      'simulated seconds a second, with --board',
      numberOption('--speed', { min: 0.1, max: 1000 }),
      30,
    )
    .option(
      '--ambient <degrees>',
      'air around the simulated board, °C',
      numberOption('--ambient', { min: -40, max: 60 }),
      40,
    )
    .addOption(new Option('--scene <name>', 'what the drawn camera sees').choices(SCENE_NAMES))
    .option('--real', "govern by this machine's own sensor, and say what it reads", false)
    .option('--json', 'one JSON object a line: first the addresses, then events', false)
    .action((flags: DemoFlags) => runDemo(flags, context));
};

async function runDemo(flags: DemoFlags, context: CommandContext): Promise<void> {
  const { signal } = context;
  const { createLevelSwitch, createLog } = await import('../daemon/diagnostics/log.js');
  const { secretsOf } = await import('../config/check/secrets.js');
  const { App } = await import('../daemon/app.js');
  const { LogTail } = await import('../daemon/diagnostics/log-tail.js');
  const { Signals } = await import('../daemon/signals.js');
  const { inspectionOf } = await import('./inspection.js');
  preferSmallHeap();
  const loaded = demoConfig(flags, context);
  const { config } = loaded;
  const logLevel = createLevelSwitch(context.debug ? 'debug' : 'warn');
  const tail = new LogTail();
  const lines = new DemoLines(context.stdout, context.stderr);
  const isOwnLayout = config.log.format === 'auto';
  const log = createLog({
    ...config.log,
    tail,
    // Whoever runs a demo reads what it says, in a pipe as well, and in the layout of its other lines.
    format: isOwnLayout ? 'json' : config.log.format,
    secrets: secretsOf(config),
    level: logLevel,
    destination: isOwnLayout ? logInto(lines) : context.stderr,
    env: context.env,
  });
  const printer = readyFirst(flags.json ? jsonPrinter(context.stdout) : textPrinter(lines));
  const signals = new Signals(log);
  signals.on('events', ({ events, result }) => printer.events(events, result));
  signals.on('decision', (state) => {
    if (state.governs) printer.decision(state.decision.reason, boardOf(flags, thermometer));
  });
  let thermometer: Thermometer | null = null;
  let started: App | null = null;
  try {
    const source = flags.real ? await requireSensor(flags, config) : null;
    thermometer = await thermometerOf(flags);
    const daemon = new App({
      config,
      env: context.env,
      signal,
      log,
      logLevel,
      inspection: inspectionOf(context, tail, () => loaded),
      onProgress: (text) => lines.progress(text),
      thermometer,
      signals,
    });
    await daemon.start();
    started = daemon;
    if (source !== null) writeLine(context.stderr, `sensor  ${source}`);
    printer.ready(daemon, config);
    const stopped = signal.aborted ? Promise.resolve() : once(signal, 'abort');
    await (flags.for === undefined
      ? stopped
      : Promise.race([stopped, sleep(backgroundClock, flags.for * 1000)]));
  } finally {
    await started?.stop(STOP_DEADLINE_MS);
    lines.clear();
    // After a run it stays, for queries; after a start that failed there is nothing in it.
    if (!context.env.MOBILENETD_STATE) {
      if (started === null) rmSync(config.state_dir, { recursive: true, force: true });
      else writeLine(context.stderr, `kept    ${config.state_dir} (rm -r removes it)`);
    }
  }
}

/** The simulated board, and what its weather is; null where the machine's own sensor is read. */
function boardOf(flags: DemoFlags, thermometer: Thermometer | null): string | null {
  if (flags.board === undefined) return null;
  return [flags.board, thermometer?.weather?.() ?? ''].join(' ').trim();
}

/** Throws MND_USAGE with `--real` where nothing can be read. */
async function requireSensor(flags: DemoFlags, config: Config): Promise<string> {
  const { codedError } = await import('../errors.js');
  if (flags.board !== undefined) {
    throw codedError('MND_USAGE', {
      subject: 'demo',
      expected: 'either --real or --board',
      found: 'both',
    });
  }
  const { createSensor } = await import('../thermal/sensor.js');
  const { sysfs_root: sysfsRoot, sensor } = config.governor;
  const { tempC, source } = await createSensor({ sysfsRoot, sensor }).read();
  if (tempC !== null) return `${source}: ${tempC.toFixed(1)} °C`;
  throw codedError('MND_USAGE', {
    subject: 'demo --real',
    expected: 'a temperature sensor',
    found: `none below ${sysfsRoot} (governor.sensor: ${sensor})`,
    next: 'name it with governor.sensor, or heat a simulated board: `demo --board pi4-case`',
  });
}

async function thermometerOf(flags: DemoFlags): Promise<Thermometer | null> {
  if (flags.board === undefined) return null;
  const { simulatedThermometer } = await import('../daemon/governor/thermometer.js');
  return simulatedThermometer(flags.board, flags.speed, flags.ambient);
}

/**
 * The ladder of both knobs, α and ρ, and what goes with it: one drawn thing after another, each gone
 * before the next one comes.
 */
const PARADE = {
  'model.task': 'classify',
  'model.name': 'mobilenetd_things',
  'governor.floor_size': 80,
  'presence.enter': 0.5,
  'presence.stay': 0.3,
  'presence.off_delay': 1,
};

/** The ladder of the classifiers that are installed: what else there is to see they can be taught. */
const CLASSIFIERS = { 'model.task': 'classify' };

/** The configuration of the user with the demo's camera; the models stay where they always are. */
function demoConfig(flags: DemoFlags, context: CommandContext): LoadedConfig {
  const usual = context.loadConfig();
  const ownState = !context.env.MOBILENETD_STATE;
  // A model of the user's own choice is what the governor is tried with.
  const walks = flags.board !== undefined && usual.model.name === 'auto';
  const scene = flags.scene ?? (walks ? 'parade' : 'street');
  const own = context.configOptions({
    // At the user's own broker it must not be taken for the real board.
    node: usual.mqtt.url === null ? undefined : `${usual.node.slice(0, 50)}-demo`,
    cameras: {
      demo: {
        source: 'demo',
        size: [640, 480],
        fps: flags.fps ?? (flags.board === undefined ? 10 : 30),
        scene,
      },
    },
    ...(walks && (scene === 'parade' ? PARADE : CLASSIFIERS)),
    state_dir: ownState ? mkdtempSync(join(tmpdir(), 'mobilenetd-demo-')) : undefined,
    models_dir: usual.models_dir,
    // Any free port: a broker of the user's own may sit on the usual one.
    'mqtt.embedded.listen': '127.0.0.1:0',
    'status.listen': usual.status.listen === null ? null : '127.0.0.1:0',
  });
  return loadConfig(own);
}

/** A destination whose every line is shown by the demo. */
function logInto(lines: DemoLines): NodeJS.WritableStream {
  return new Writable({
    write(chunk, _encoding, done) {
      for (const line of String(chunk).split('\n')) if (line !== '') lines.log(line);
      done();
    },
  });
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config/config.js';
import { askDaemon } from '../../control/client.js';
import type { RecordRequest } from '../../control/protocol.js';
import type { RecordingPayload as RecordingState } from '../../control/report.js';
import { codedError, isErrorCode } from '../../errors.js';
import { systemClock } from '../../time.js';
import { briefLog, NEVER_MS, STOP_DEADLINE_MS } from '../brief-daemon.js';
import type { CommandContext } from '../command.js';
import { writeLine } from '../output.js';
import { socketsOf } from '../sockets.js';
import type { TeachFlags } from './flags.js';
import type { Batch, Wanted } from './folder.js';
import { sayInterrupted } from './interrupted.js';
import type { TeachTools } from './tools.js';

/** How a recording is watched and ended, whoever does it. */
interface Recorder {
  begin(request: RecordRequest): Promise<RecordingState>;
  ask(id: string, end: boolean): Promise<RecordingState>;
  close(): Promise<void>;
}

const POLL_MS = 400;
/** The first recording opens a network, and looks at what is there already. */
const BEGIN_TIMEOUT_MS = 120_000;
/** A camera that shows nothing so long shows nothing, ms. */
const FIRST_FRAME_MS = 30_000;

/**
 * Records what a camera sees, by the running daemon or, without one, by opening the camera for that time.
 * An interrupt ends it at once; what was taken until then is kept.
 *
 * @throws MND_CAMERA_STALLED where no frame came; what the recording failed of
 */
export async function recordCamera(
  { task, label }: Wanted,
  flags: TeachFlags,
  tools: TeachTools,
  context: CommandContext,
): Promise<Batch> {
  const { camera, zone, of } = task;
  if (camera === null) throw codedError('MND_INTERNAL', { subject: 'teach', found: 'no camera' });
  const request = { label, camera, zone, of, seconds: flags.for };
  const recorder = await recorderOf(request, tools, context);
  try {
    const begun = await recorder.begin(request);
    const what = label ?? 'the opposite';
    writeLine(context.stderr, `recording ${what} for ${flags.for} s; Ctrl-C ends it`);
    const ended = await watch({ begun, label }, recorder, context);
    if (ended.state === 'failed') throw failureOf(ended);
    if (ended.offered === 0) throw nothingSeen(request, ended);
    const { offered, kept, same, small } = ended;
    return { label, offered, kept, same, small, unread: 0 };
  } finally {
    await recorder.close();
  }
}

/** What a recording failed of, as whoever took the pictures has said it. */
function failureOf({ code, error }: RecordingState): Error {
  const known = code !== null && isErrorCode(code) ? code : 'MND_INTERNAL';
  const failure = codedError(known);
  return error === null ? failure : Object.assign(failure, { message: error });
}

async function watch(
  { begun, label }: { readonly begun: RecordingState; readonly label: string | null },
  recorder: Recorder,
  context: CommandContext,
): Promise<RecordingState> {
  const { signal, stderr } = context;
  const isTerminal = 'isTTY' in stderr && stderr.isTTY === true;
  let state = begun;
  while (state.state === 'recording' && state.left_s > 0) {
    try {
      await delay(POLL_MS, undefined, { signal });
    } catch {
      const { kept } = await recorder.ask(begun.id, true);
      if (isTerminal) stderr.write('\r\u001b[K');
      sayInterrupted(label, kept, context);
      throw signal.reason;
    }
    state = await recorder.ask(begun.id, false);
    if (isTerminal) stderr.write(`\r\u001b[K${progressText(state)}`);
  }
  if (isTerminal) stderr.write('\r\u001b[K');
  return recorder.ask(begun.id, true);
}

function progressText({ left_s, kept, same, empty }: RecordingState): string {
  const left = `${Math.ceil(left_s)} s left`;
  const seen = kept + same === 0 && empty > 0 ? ', nothing to take yet' : '';
  return `${left}: ${kept} kept, ${same} nearly the same${seen}`;
}

async function recorderOf(
  request: RecordRequest,
  tools: TeachTools,
  context: CommandContext,
): Promise<Recorder> {
  const places = socketsOf(context);
  if ((await tools.running()) === null) return ownRecorder(request, tools, context);
  const verb = 'teach';
  const timeout = BEGIN_TIMEOUT_MS;
  return {
    begin: async (wanted) =>
      (await askDaemon(
        { verb, do: 'record', ...wanted },
        { ...places, timeout },
      )) as RecordingState,
    ask: async (id, end) =>
      (await askDaemon({ verb, do: 'session', id, end }, { ...places, timeout })) as RecordingState,
    async close() {},
  };
}

/** A daemon for that time, which has one camera and tells nobody. */
async function ownRecorder(
  { camera }: RecordRequest,
  { config }: TeachTools,
  context: CommandContext,
): Promise<Recorder> {
  const { App } = await import('../../daemon/app.js');
  const log = await briefLog(config, 'error', context);
  const daemon = new App({
    config: quietly(config, camera),
    env: context.env,
    signal: context.signal,
    log,
    profileAfterMs: NEVER_MS,
    onProgress: (text) => writeLine(context.stderr, text),
  });
  await daemon.start();
  const close = () => daemon.stop(STOP_DEADLINE_MS);
  try {
    await firstFrame(daemon.context.daemon.hasLabelled, camera, context);
  } catch (error) {
    await close();
    throw error;
  }
  const { taught } = daemon.context;
  return {
    begin: (request) => taught.record(request),
    ask: (id, end) => taught.recording(id, end),
    close,
  };
}

async function firstFrame(
  hasLabelled: () => boolean,
  camera: string,
  { signal }: CommandContext,
): Promise<void> {
  const until = systemClock.now() + FIRST_FRAME_MS;
  while (!hasLabelled()) {
    if (systemClock.now() > until) {
      throw codedError('MND_CAMERA_STALLED', {
        subject: camera,
        found: 'no frame',
        next: 'see `mobilenetd doctor`, which tries each camera',
      });
    }
    await delay(POLL_MS, undefined, { signal });
  }
}

function quietly(config: Config, camera: string): Config {
  const { mqtt, homeassistant, status, control, cameras } = config;
  return {
    ...config,
    cameras: Object.fromEntries(Object.entries(cameras).filter(([name]) => name === camera)),
    notify: {},
    homeassistant: { ...homeassistant, enabled: false },
    status: { ...status, listen: null },
    control: { ...control, enabled: false },
    mqtt: { ...mqtt, url: null, embedded: { ...mqtt.embedded, listen: '127.0.0.1:0' } },
  };
}

function nothingSeen({ camera, of }: RecordRequest, { empty }: RecordingState): Error {
  if (of !== null && empty > 0) {
    return codedError('MND_INPUT_MISSING', {
      subject: `camera ${camera}`,
      expected: `an object of ${of.join(', ')}`,
      found: `none in ${empty} frames`,
    });
  }
  return codedError('MND_CAMERA_STALLED', {
    subject: `camera ${camera}`,
    found: 'no frame was looked at',
    next: 'mobilenetd status says how the camera is',
  });
}

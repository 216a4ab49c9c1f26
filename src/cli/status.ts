import { plainStateDir } from '../config/plain-places.js';
import { type AskOptions, askDaemon } from '../control/client.js';
import {
  type CameraReport,
  type DatabaseReport,
  overrideText,
  type RunningReport,
  type SecondPayload,
  type StatusReport,
  type TaughtTaskPayload,
} from '../control/report.js';
import { controlSockets } from '../control/socket.js';
import type { CommandContext, Register } from './command.js';
import { endWith, writeJsonLine, writeLine } from './output.js';
import { columnsOf, padText, wrapText } from './text-width.js';

/** Where what is said of a thing begins. */
const INDENT = 14;

export const register: Register = (program, context) => {
  program
    .command('status')
    .summary('ask the running daemon how it is')
    .description(
      [
        'Asks the running daemon over its control socket: variant and mix, temperature, rate, cameras and',
        'why one is offline, broker, outbox, database, memory, and what is set at run time beside what the',
        'file says. Exits with 69 when no daemon runs, and with 1 when a camera is offline, the broker',
        'cannot be reached, the database cannot be written or a rule cannot tell anybody.',
      ].join('\n'),
    )
    .option('--json', 'the whole report as one JSON object')
    .action(async (flags: { readonly json?: boolean }) => {
      const request = { verb: 'status' } as const;
      const report = (await askDaemon(request, await placesOf(context))) as StatusReport;
      if (flags.json) writeJsonLine(context.stdout, report);
      else {
        const columns = columnsOf(context.stdout);
        for (const line of statusLines(report, columns)) writeLine(context.stdout, line);
      }
      if (!isWell(report)) throw endWith(1);
    });
};

/** Where the daemon listens: the configuration is read only where it may say so, which takes longest of all. */
async function placesOf(context: CommandContext): Promise<Pick<AskOptions, 'sockets' | 'doubt'>> {
  const stateDir = plainStateDir(context.configOptions());
  if (stateDir !== null) return { sockets: controlSockets(stateDir, context.env) };
  const { socketsOf } = await import('./sockets.js');
  return socketsOf(context);
}

function isWell({ running }: StatusReport): boolean {
  if (running === null) return false;
  const { cameras, broker, database } = running;
  return (
    broker.connected &&
    database.writable &&
    cameras.every(({ status }) => status !== 'offline') &&
    running.notify.every(({ error }) => error === null)
  );
}

/** The report for people, in lines of at most so many places. */
export function statusLines(report: StatusReport, columns = Infinity): readonly string[] {
  const width = Math.max(columns, 3 * INDENT);
  return rowsOf(report).flatMap(([name, text]) => wrapText(`${name} ${text}`, width, INDENT));
}

function levelText({ log_level: level, log_level_configured: configured }: StatusReport): string {
  if (level === configured) return level;
  return `${level} (set by hand until the next reload; the configuration says ${configured})`;
}

function rowsOf(report: StatusReport): readonly Line[] {
  const head = `mobilenetd ${report.version}, process ${report.pid}, up ${duration(report.uptime_s)}`;
  const state = report.ready ? '' : ', no frame labelled yet';
  const lines = [
    row('daemon', `${head}${state}`),
    row('node', `${report.node}, state in ${report.state_dir}`),
    row('memory', `${report.rss_mb} MB, log level ${levelText(report)}`),
  ];
  if (report.running === null)
    return [...lines, row('running', `nothing yet: ${report.doing ?? 'it is starting'}`)];
  return [...lines, ...runningLines(report.running)];
}

function notConnected(fault: string | null): string {
  return fault === null ? 'NOT connected' : `NOT connected: ${fault}`;
}

function runningLines(running: RunningReport): readonly Line[] {
  const { model, broker, outbox } = running;
  const link = broker.connected ? 'connected' : notConnected(broker.fault ?? null);
  const given = running.dropped_messages > 0 ? `, ${running.dropped_messages} given up` : '';
  const age = running.age_ms === null ? '' : `, labels ${running.age_ms} ms after the picture`;
  const failed = running.failed > 0 ? `, ${running.failed} frames failed` : '';
  return [
    row('model', `${model.name} (${model.form})${onlyText(model.only ?? null)}`),
    ...(model.rungs > 1 ? [row('scores', scoresOf(model))] : []),
    ...(running.second == null ? [] : [row('second', secondText(running.second))]),
    ...running.taught.tasks.map((task) => row('taught', taughtText(task))),
    ...taughtFault(running.taught.error ?? null),
    ...running.taught.unusable.map(({ label, why }) =>
      row('taught', `${label} is NOT told: ${why}`),
    ),
    row('heat', heatOf(running)),
    row('governor', reasonOf(running.governor)),
    ...energyLines(running.governor),
    row('frames', `${running.fps} a second${latencyOf(running)}${age}${failed}`),
    ...running.cameras.flatMap(cameraLines),
    row('broker', `${broker.url}${broker.embedded ? ' (embedded)' : ''}, ${link}`),
    row('outbox', `${outbox} waiting${given}`),
    row('database', databaseText(running.database)),
    row('page', running.page ?? pageless(running.page_error ?? null)),
    ...running.notify.map(notifyLine),
    ...running.found.map((text) => row('found', text)),
    ...deliveryLines(broker),
    ...running.overrides.map((override) => row('set', overrideText(override))),
  ];
}

function pageless(error: string | null): string {
  return error === null ? 'none' : `NONE: ${error}`;
}

/** What a network is asked for, where that is not all that it knows. */
function onlyText(only: readonly string[] | null): string {
  if (only === null) return '';
  const first = only.slice(0, 6).join(', ');
  const more = only.length > 6 ? ` and ${only.length - 6} more` : '';
  return `, looks for ${first}${more} alone, as cameras and rules name them`;
}

/** Whether the networks of a ladder mean the same by a score. */
function scoresOf({ rungs, scores_of: scale, temperatures }: RunningReport['model']): string {
  if (scale === null) return `of ${rungs} networks, each on its own scale: not compared yet`;
  const all = Object.values(temperatures);
  if (all.length === 0) return `of ${rungs} networks, compared: left as they are`;
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const span = least === most ? `${least}` : `${least} to ${most}`;
  const those = `${all.length} of ${rungs} networks`;
  return `of ${those} on the scale of ${scale}, temperature ${span}`;
}

/** What the broker does not take, one line each. */
function deliveryLines({
  delivery,
  device_rival: rival,
}: RunningReport['broker']): readonly Line[] {
  const { held, left_out, not_taken, refused_events, limits } = delivery;
  const more = not_taken - held.length - left_out.length;
  const { length: heldCount } = held;
  return [
    ...limits.map((limit) => row('broker', limit)),
    ...held.map(({ topic, reason, events, retry }) => {
      const waiting = events > 0 ? `, ${events} events wait` : '';
      return row('held back', `${topic}: ${reason}${waiting}; next try ${retry}`);
    }),
    ...left_out.map(({ topic, reason }) => row('left out', `${topic}: ${reason}`)),
    ...(more > 0 ? [row(heldCount > 0 ? 'held back' : 'left out', `and ${more} more`)] : []),
    ...(refused_events > 0 ? [row('dropped', `${refused_events} events, refused for good`)] : []),
    ...(rival === null ? [] : [row('home assist.', `${rival} has the same device id`)]),
  ];
}

/** How the second network fares. */
function secondText({ name, state, runs, named, failed, held, ms, error }: SecondPayload): string {
  if (state === 'loading') return `${name}: not there yet, objects go without it`;
  return [
    `${name}: ${runs} objects looked at${ms === null ? '' : `, ${ms} ms each`}, ${named} named`,
    ...(held > 0 ? [`${held} frames held back for the heat`] : []),
    ...(failed > 0 ? [`${failed} runs failed`] : []),
    ...(error === null ? [] : [`FAILS: ${error}`]),
  ].join(', ');
}

/** Pictures that cannot be read; what an older daemon says nothing of is taken to be well. */
function taughtFault(error: string | null): readonly Line[] {
  return error === null ? [] : [row('taught', `pictures CANNOT be read: ${error}`)];
}

/** How what was taught fares. */
function taughtText({ text, labels, state, ready, networks, error }: TaughtTaskPayload): string {
  const names = Object.keys(labels).join(', ') || 'no label yet';
  if (state === 'fails') return `${names} (${text}): FAILS: ${error}`;
  if (state === 'works') return `${names} (${text}): looked for`;
  return `${names} (${text}): still learning, ${ready} of ${networks || 'all'} networks`;
}

/** A channel of a rule, and why it fails. */
function notifyLine(lane: RunningReport['notify'][number]): Line {
  const { rule, channel, target, waiting, sent, error, since } = lane;
  const counts = [
    `${sent} sent`,
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
    ...(lane.given_up > 0 ? [`${lane.given_up} given up`] : []),
    ...(lane.refused > 0 ? [`${lane.refused} refused`] : []),
  ].join(', ');
  const fault = error === null ? '' : `; FAILS since ${since}: ${error}`;
  return row(`rule ${rule}`, `${channel} to ${target}: ${counts}${fault}`);
}

function latencyOf({ latency_ms: latency }: RunningReport): string {
  return latency === null ? '' : `, ${latency} ms each`;
}

function heatOf(report: RunningReport): string {
  const { temperature, throttled, undervoltage, governor } = report;
  const parts = [temperature === null ? 'no sensor' : `${temperature.toFixed(1)} °C`];
  if (governor?.mode === 'fault') parts.push('NOT believed');
  if (throttled) parts.push('the firmware slows the clock because of heat');
  if (undervoltage) parts.push('the power supply is too weak (under-voltage)');
  return parts.join(', ');
}

function reasonOf(governor: RunningReport['governor']): string {
  return governor === null ? 'off' : String(governor.reason ?? 'on');
}

/** As in `<base>/governor`. */
interface EnergyReport {
  readonly used_wh: number;
  readonly budget_wh: number;
  readonly per: string;
  readonly watts: number;
  readonly measured: boolean;
}

/** The books of governor.energy, where there is such a budget. */
function energyLines(governor: RunningReport['governor']): readonly Line[] {
  const energy = governor?.energy as EnergyReport | null | undefined;
  if (energy == null) return [];
  const how = energy.measured ? 'measured' : 'reckoned';
  const { used_wh: used, budget_wh: budget, per, watts } = energy;
  return [row('energy', `${used} of ${budget} Wh used this ${per}, ${watts} W now (${how})`)];
}

function cameraLines(camera: CameraReport): readonly Line[] {
  return [
    row(`camera ${camera.name}`, cameraText(camera)),
    ...camera.notices.map(({ kind, count, last, message }) =>
      row('', `${kind}, ${count}×, the last at ${last}: ${message}`),
    ),
  ];
}

function cameraText(camera: CameraReport): string {
  const { status, reason, fps, slowed_fps: slowed, present, dropped } = camera;
  const why = reason === null ? '' : `: ${reason}`;
  const seen = present.length === 0 ? 'nothing' : [...new Set(present)].join(', ');
  const asked = slowed === null ? `${fps} fps` : `${slowed} of ${fps} fps, while it is warm,`;
  const sees = status === 'online' ? `, sees ${seen}` : '';
  return `${status}${why}${sees} (${asked} asked for, ${dropped} frames dropped)`;
}

function databaseText(database: DatabaseReport): string {
  const { writable, error, since, waiting } = database;
  const { dropped_detections: detections, dropped_events: events } = database;
  const lost = [
    ...(waiting > 0 ? [`${waiting} events wait in memory`] : []),
    ...(detections > 0 ? [`${detections} detections were dropped`] : []),
    ...(events > 0 ? [`${events} events were dropped`] : []),
  ];
  const state = writable
    ? 'written'
    : `CANNOT be written${since === null ? '' : ` since ${since}`}: ${error ?? 'no reason known'}`;
  return [state, ...lost].join(', ');
}

/** A line: what it is about, and what is said of it. */
type Line = readonly [name: string, text: string];

function row(name: string, text: string): Line {
  return [padText(name, INDENT - 1), text];
}

function duration(seconds: number): string {
  const [days, hours, minutes] = [86_400, 3600, 60].map((unit) => Math.floor(seconds / unit));
  if (days) return `${days} d ${(hours ?? 0) % 24} h`;
  if (hours) return `${hours} h ${(minutes ?? 0) % 60} min`;
  return minutes ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

import type { Config } from '../config/config.js';
import { askDaemon } from '../control/client.js';
import type { CameraReport, RunningReport, StatusReport } from '../control/protocol.js';
import { controlSockets } from '../control/socket.js';
import { isCodedError } from '../errors.js';
import type { CommandContext, Register } from './command.js';
import { endWith, writeJsonLine, writeLine } from './output.js';

export const register: Register = (program, context) => {
  program
    .command('status')
    .summary('ask the running daemon how it is')
    .description(
      [
        'Asks the running daemon over its control socket: variant and mix, temperature, rate, cameras and',
        'why one is offline, broker, outbox, memory. Exits with 69 when no daemon runs, and with 1 when',
        'a camera is offline or the broker cannot be reached.',
      ].join('\n'),
    )
    .option('--json', 'the whole report as one JSON object')
    .action(async (flags: { readonly json?: boolean }) => {
      const request = { verb: 'status' } as const;
      const report = (await askDaemon(request, socketsOf(context))) as StatusReport;
      if (flags.json) writeJsonLine(context.stdout, report);
      else for (const line of statusLines(report)) writeLine(context.stdout, line);
      if (!isWell(report)) throw endWith(1);
    });
};

/**
 * Where the daemon of the configuration listens; the usual places when that cannot be read, which is
 * others' to read or is just being edited.
 */
export function socketsOf(context: CommandContext): { readonly sockets: readonly string[] } {
  let config: Config;
  try {
    config = context.loadConfig();
  } catch (error) {
    if (isCodedError(error)) return { sockets: controlSockets(null, context.env) };
    throw error;
  }
  const { socket } = config.control;
  return { sockets: socket === null ? controlSockets(config.state_dir, context.env) : [socket] };
}

function isWell({ running }: StatusReport): boolean {
  if (running === null) return false;
  const { cameras, broker } = running;
  return broker.connected && cameras.every(({ status }) => status !== 'offline');
}

/** The report for people. */
export function statusLines(report: StatusReport): readonly string[] {
  const head = `mobilenetd ${report.version}, process ${report.pid}, up ${duration(report.uptime_s)}`;
  const state = report.ready ? '' : ', no frame labelled yet';
  const lines = [
    row('daemon', `${head}${state}`),
    row('node', `${report.node}, state in ${report.state_dir}`),
    row('memory', `${report.rss_mb} MB, log level ${report.log_level}`),
  ];
  if (report.running === null) return [...lines, row('running', 'nothing yet: it is starting')];
  return [...lines, ...runningLines(report.running)];
}

function runningLines(running: RunningReport): readonly string[] {
  const { model, broker, outbox } = running;
  const link = broker.connected ? 'connected' : 'NOT connected';
  const given = running.dropped_messages > 0 ? `, ${running.dropped_messages} given up` : '';
  const age = running.age_ms === null ? '' : `, labels ${running.age_ms} ms after the picture`;
  const failed = running.failed > 0 ? `, ${running.failed} frames failed` : '';
  return [
    row('model', `${model.name} (${model.form})`),
    row('heat', heatOf(running)),
    row('governor', reasonOf(running.governor)),
    row('frames', `${running.fps} a second${latencyOf(running)}${age}${failed}`),
    ...running.cameras.map((camera) => row(`camera ${camera.name}`, cameraText(camera))),
    row('broker', `${broker.url}${broker.embedded ? ' (embedded)' : ''}, ${link}`),
    row('outbox', `${outbox} waiting${given}`),
  ];
}

function latencyOf({ latency_ms: latency }: RunningReport): string {
  return latency === null ? '' : `, ${latency} ms each`;
}

function heatOf({ temperature, throttled, undervoltage }: RunningReport): string {
  const parts = [temperature === null ? 'no sensor' : `${temperature.toFixed(1)} °C`];
  if (throttled) parts.push('the firmware slows the clock because of heat');
  if (undervoltage) parts.push('the power supply is too weak (under-voltage)');
  return parts.join(', ');
}

function reasonOf(governor: RunningReport['governor']): string {
  return governor === null ? 'off' : String(governor.reason ?? 'on');
}

function cameraText({ status, reason, fps, dropped }: CameraReport): string {
  const why = reason === null ? '' : `: ${reason}`;
  return `${status}${why} (asked for ${fps} fps, ${dropped} frames dropped)`;
}

function row(name: string, text: string): string {
  return `${name.padEnd(14)}${text}`;
}

function duration(seconds: number): string {
  const [days, hours, minutes] = [86_400, 3600, 60].map((unit) => Math.floor(seconds / unit));
  if (days) return `${days} d ${(hours ?? 0) % 24} h`;
  if (hours) return `${hours} h ${(minutes ?? 0) % 60} min`;
  return minutes ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

import { askDaemon } from '../control/client.js';
import { type OverrideReport, overrideText, type StatusReport } from '../control/protocol.js';
import { controlSockets } from '../control/socket.js';
import { type Finding, findings } from './finding.js';
import type { CheckInput } from './surroundings.js';

const { ok, info, fail } = findings('daemon');

const TIMEOUT_MS = 2000;

/** What the running daemon, if there is one, says of its database and of what was set at run time. */
export async function checkDaemon({ around, config }: CheckInput): Promise<Finding[]> {
  if (config === null) return [];
  const { socket } = config.control;
  const sockets = socket === null ? controlSockets(config.state_dir, around.env) : [socket];
  const request = { verb: 'status' } as const;
  const answer = await askDaemon(request, { sockets, timeout: TIMEOUT_MS }).catch(() => null);
  if (answer === null) return [];
  const { running, doing } = answer as StatusReport;
  if (running === null) return [info('daemon', `it is starting: ${doing ?? 'nothing runs yet'}`)];
  return [database(running), ...running.overrides.map(override)];
}

function database({ database }: NonNullable<StatusReport['running']>): Finding {
  if (database.writable) return ok('database', 'the running daemon writes to it');
  const { waiting, dropped_detections: dropped } = database;
  const why = database.error ?? 'no reason known';
  return fail('database', `the running daemon cannot write to it: ${why}`, {
    means: `${waiting} events wait in memory, ${dropped} detections were dropped`,
    next: 'make room, or see whether the disk is failing; the daemon tries again by itself',
  });
}

function override(report: OverrideReport): Finding {
  return info(report.key, overrideText(report), {
    means: 'it was set at run time (MQTT, Home Assistant) and outlives restarts',
    next: `mobilenetd ctl reset ${report.key}`,
  });
}

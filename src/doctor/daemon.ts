import { askDaemon } from '../control/client.js';
import { type OverrideReport, overrideText, type StatusReport } from '../control/report.js';
import { controlSockets } from '../control/socket.js';
import { describeRival, RIVAL_NEXT } from '../mqtt/home-assistant/read-back.js';
import { type Finding, findings } from './finding.js';
import type { CheckInput } from './surroundings.js';

const { ok, info, warn, fail } = findings('daemon');

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
  // An older daemon may still run, which knows of no rules.
  const notify = running.notify ?? [];
  return [
    database(running),
    ...rival(running.broker.device_rival ?? null, `${config.mqtt.base}/${config.node}`),
    ...noPage(running.page_error ?? null),
    ...notify.flatMap(channel),
    ...running.overrides.map(override),
  ];
}

/** Another board that Home Assistant takes for this one, as the running daemon has noticed. */
function rival(found: string | null, root: string): Finding[] {
  if (found === null) return [];
  return [warn('Home Assistant', describeRival(found, root), { next: RIVAL_NEXT })];
}

function noPage(error: string | null): Finding[] {
  if (error === null) return [];
  const means = 'the running daemon has no page; it tries again by itself';
  return [warn('page', error, { means })];
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

/** A channel of a rule that cannot tell anybody, or has had to give up. */
function channel(lane: NonNullable<StatusReport['running']>['notify'][number]): Finding[] {
  const { rule, channel: name, target, error, since, waiting } = lane;
  const subject = `rule ${rule}`;
  const lost = lane.given_up + lane.refused;
  if (error !== null) {
    return [
      warn(subject, `${name} to ${target} fails since ${since}: ${error}`, {
        means: `${waiting} notifications wait, ${lost} are lost`,
        next: `mobilenetd notify --test ${rule} tries it now`,
      }),
    ];
  }
  if (lost === 0) return [];
  return [warn(subject, `${lost} notifications to ${target} (${name}) were given up or refused`)];
}

function override(report: OverrideReport): Finding {
  return info(report.key, overrideText(report), {
    means: 'it was set at run time (MQTT, Home Assistant) and outlives restarts',
    next: `mobilenetd ctl reset ${report.key}`,
  });
}

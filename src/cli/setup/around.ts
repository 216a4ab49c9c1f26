import { randomUUID } from 'node:crypto';
import type { Config } from '../../config/config.js';
import { loadConfig } from '../../config/load.js';
import { controlSockets } from '../../control/socket.js';
import { shortName } from '../../daemon/line/labels.js';
import { checkBoot } from '../../doctor/boot.js';
import { checkBroker } from '../../doctor/broker.js';
import { checkClock } from '../../doctor/clock.js';
import { checkDisk } from '../../doctor/disk.js';
import type { Finding } from '../../doctor/finding.js';
import { checkHeat } from '../../doctor/heat.js';
import { checkPermissions } from '../../doctor/permissions.js';
import { checkPrograms } from '../../doctor/programs.js';
import type { Surroundings } from '../../doctor/surroundings.js';
import { checkSystem } from '../../doctor/system.js';
import { labelsFileOf } from '../../models/catalog/catalog.js';
import { readLabels } from '../../models/labels.js';
import { modelToPull } from '../../models/resolve.js';
import { openShelf } from '../../models/shelf.js';
import { hashPassword } from '../../mqtt/broker/password.js';
import { probeBroker } from '../../mqtt/connection/probe.js';
import { findBroker } from '../../mqtt/discover/broker.js';
import { readBoardModel } from '../../platform.js';
import type { CommandContext } from '../command.js';
import { tryRule } from '../rule-trial.js';
import { sendThrough } from './broker-message.js';
import { findCameras, lookThrough, type PictureFolder } from './camera-look.js';
import { heldBy, lookThroughDaemon, statusOf } from './running.js';
import type { CameraLook, FoundCamera, SetupAround } from './step.js';

/** The doctor's checks that need neither a camera nor a broker. */
const SYSTEM_CHECKS = [
  checkSystem,
  checkPrograms,
  checkBoot,
  checkHeat,
  checkDisk,
  checkClock,
  checkPermissions,
];

export interface RealAroundOptions {
  readonly context: CommandContext;
  readonly signal: AbortSignal;
  readonly pictures: PictureFolder;
  /** What the doctor looks at. */
  readonly doctor: Surroundings;
  /** The configuration as it is before anything is changed. */
  readonly before: Config;
}

/** This machine, and the network that it is in. */
export function realAround(options: RealAroundOptions): SetupAround {
  const { context, signal, doctor } = options;
  return {
    boardModel: readBoardModel(options.before.governor.proc_root),
    async examineSystem(config) {
      const found: Finding[] = [];
      for (const check of SYSTEM_CHECKS) found.push(...(await check({ around: doctor, config })));
      return found;
    },
    findCameras: () => findCameras(signal),
    lookThrough: (settings) => look(settings, options),
    labelsOf: (config) => labelsOf(config, context.env),
    findBroker: ({ mqtt, node }) =>
      findBroker(
        {
          username: mqtt.username,
          password: mqtt.password,
          clientId: `mobilenetd-looking-${randomUUID().slice(0, 8)}`,
          subscribe: `${mqtt.base}/${node}/request/+`,
          probe: probeBroker,
        },
        signal,
      ),
    checkBroker: (config) => checkBroker({ around: doctor, config }),
    sendThrough: (config) => sendThrough(config, signal),
    async tryRule(rule, config) {
      const trials = await tryRule(rule, config, { env: context.env, signal });
      return trials.map(({ channel, error }) => ({
        to: `${channel.name} (${channel.target})`,
        error,
      }));
    },
    hashPassword: (password) => hashPassword(password),
  };
}

async function look(
  settings: FoundCamera['settings'],
  { context, signal, pictures, before }: RealAroundOptions,
): Promise<CameraLook> {
  const sockets = before.control.socket;
  const status = await statusOf(
    sockets === null ? controlSockets(before.state_dir, context.env) : [sockets],
  );
  const holder = status === null ? null : heldBy(settings, status, before.cameras);
  if (status !== null && holder !== null) {
    return lookThroughDaemon(holder, status, pictures, signal);
  }
  const { config } = loadConfig({
    env: {},
    systemFile: '/nowhere',
    flags: { cameras: { look: settings } },
  });
  const camera = config.cameras.look;
  if (camera === undefined) throw new Error('a camera that was configured is there');
  return lookThrough(camera, pictures, signal);
}

async function labelsOf(config: Config, env: NodeJS.ProcessEnv): Promise<readonly string[] | null> {
  const { task, name, form } = config.model;
  const shelf = openShelf({ dir: config.models_dir, mirror: null, env });
  const named = (labels: readonly string[]) =>
    [...new Set(labels.map(shortName))].filter((label) => label !== '');
  try {
    return named((await shelf.resolve({ task, name, form })).labels);
  } catch {
    // It is fetched at the first start; the catalogue knows its labels.
    const catalog = await shelf.catalog();
    const wanted = modelToPull({ task, name, form }, catalog);
    const entry = catalog.models.find((model) => model.name === wanted);
    return entry === undefined ? null : named(await readLabels(labelsFileOf(catalog, entry)));
  }
}

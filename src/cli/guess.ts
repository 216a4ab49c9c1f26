import { randomUUID } from 'node:crypto';
import type { LoadedConfig } from '../config/load.js';
import { loadConfig } from '../config/load.js';
import type { Log } from '../daemon/diagnostics/log.js';
import type { CommandContext } from './command.js';
import { FOUND_CAMERA, Guesses } from './guesses.js';

/** What finds camera and broker on this machine, where the configuration says nothing about them. */
export function guessesOf(context: CommandContext, log: Log): Guesses {
  const load = (flags: Readonly<Record<string, unknown>>): LoadedConfig =>
    loadConfig(context.configOptions(flags));
  return new Guesses({
    load,
    log,
    async chooseCamera(signal) {
      const { chooseCamera } = await import('../camera/discover/choose.js');
      const { tryFrame } = await import('../camera/discover/trial.js');
      const { createSource } = await import('../camera/create.js');
      const tryDevice = async (device: string) => {
        const settings = { [FOUND_CAMERA]: { source: 'v4l2', device } };
        const camera = load({ cameras: settings }).config.cameras[FOUND_CAMERA];
        if (camera === undefined) return { delivers: false, found: 'it cannot be configured' };
        const { level, found } = await tryFrame(FOUND_CAMERA, camera, { createSource }, signal);
        return { delivers: level !== 'fail', found };
      };
      return chooseCamera({ tryDevice }, signal);
    },
    async findBroker({ config }, signal) {
      const { findBroker } = await import('../mqtt/discover/broker.js');
      const { probeBroker } = await import('../mqtt/connection/probe.js');
      const { username, password, base } = config.mqtt;
      return findBroker(
        {
          username,
          password,
          clientId: `mobilenetd-looking-${randomUUID().slice(0, 8)}`,
          subscribe: `${base}/${config.node}/request/+`,
          probe: probeBroker,
        },
        signal,
      );
    },
  });
}

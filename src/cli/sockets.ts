import { loadConfig } from '../config/load.js';
import { readablePlaces } from '../config/readable-places.js';
import type { AskOptions } from '../control/client.js';
import { controlSockets } from '../control/socket.js';
import { isCodedError } from '../errors.js';
import type { CommandContext } from './command.js';

/** Where the daemon of the configuration listens, by what of it can be read: it may just be edited. */
export function socketsOf(context: CommandContext): Pick<AskOptions, 'sockets' | 'doubt'> {
  let places: { readonly stateDir: string | null; readonly socket: string | null };
  let doubt: string | null = null;
  try {
    const { state_dir: stateDir, control } = loadConfig(context.configOptions()).config;
    places = { stateDir, socket: control.socket };
  } catch (error) {
    if (!isCodedError(error)) throw error;
    places = readablePlaces(context.configOptions());
    if (error.code === 'MND_CONFIG_UNREADABLE') {
      const { subject, found } = error.detail;
      doubt = `${subject}: ${found}`;
    }
  }
  const { stateDir, socket } = places;
  const sockets = socket === null ? controlSockets(stateDir, context.env) : [socket];
  return { sockets, doubt };
}

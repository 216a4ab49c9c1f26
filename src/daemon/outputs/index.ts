import type { Part } from '../part.js';
import { startAvailability } from './availability.js';
import { startClock } from './clock.js';
import { startCommands } from './commands.js';
import { startControlSocket } from './control-socket.js';
import { startDailyCounts } from './daily-counts.js';
import { startDecisions } from './decisions.js';
import { startEventPictures } from './event-pictures.js';
import { startFalseAlarms } from './false-alarms.js';
import { startFormerName } from './former-name.js';
import { startHealth } from './health.js';
import { startHomeAssistant } from './home-assistant.js';
import { startInfo } from './info.js';
import { startLabelCheck } from './label-check.js';
import { startLabelStates } from './label-states.js';
import { startNotifications } from './notifications.js';
import type { Output } from './output.js';
import { startPage } from './page.js';
import { startService } from './service.js';
import { startSnapshots } from './snapshots.js';
import { startStartPage } from './start-page.js';
import { startUpdate } from './update.js';

/** Everything that is told to the world: one row and one file each. */
export const OUTPUTS: readonly Output[] = [
  { name: 'control socket', starts: 'first', keys: [], follows: [], start: startControlSocket },
  { name: 'service manager', starts: 'first', keys: [], follows: [], start: startService },
  { name: 'start page', starts: 'first', keys: [], follows: [], start: startStartPage },
  {
    name: 'label states',
    starts: 'before cameras',
    keys: [],
    follows: ['messaging'],
    start: startLabelStates,
  },
  {
    name: 'daily counts',
    starts: 'before cameras',
    keys: [],
    follows: ['messaging'],
    start: startDailyCounts,
  },
  {
    name: 'event pictures',
    starts: 'before cameras',
    keys: ['store.pictures'],
    follows: [],
    start: startEventPictures,
  },
  {
    name: 'notifications',
    starts: 'before cameras',
    keys: ['notify', 'name', 'location'],
    follows: [],
    start: startNotifications,
  },
  {
    name: 'false alarms',
    starts: 'last',
    keys: [],
    follows: ['store'],
    start: startFalseAlarms,
  },
  { name: 'snapshots', starts: 'before cameras', keys: [], follows: [], start: startSnapshots },
  {
    name: 'label check',
    starts: 'last',
    keys: ['cameras', 'presence', 'homeassistant.labels'],
    follows: ['model', 'taught'],
    start: startLabelCheck,
  },
  {
    name: 'commands',
    starts: 'last',
    keys: [],
    follows: ['messaging', 'overrides'],
    start: startCommands,
  },
  {
    name: 'Home Assistant',
    starts: 'last',
    keys: ['name', 'homeassistant', 'status', 'notify'],
    follows: ['messaging', 'model', 'governor', 'overrides'],
    start: startHomeAssistant,
  },
  {
    name: 'former name',
    starts: 'last',
    keys: ['homeassistant.prefix'],
    follows: ['messaging'],
    start: startFormerName,
  },
  {
    name: 'update',
    starts: 'last',
    keys: ['homeassistant.version_file'],
    follows: ['messaging'],
    start: startUpdate,
  },
  { name: 'info', starts: 'last', keys: 'all', follows: ['messaging', 'model'], start: startInfo },
  {
    name: 'decisions',
    starts: 'last',
    keys: [],
    follows: ['messaging', 'governor'],
    start: startDecisions,
  },
  { name: 'clock', starts: 'last', keys: [], follows: [], start: startClock },
  { name: 'health', starts: 'last', keys: [], follows: ['messaging'], start: startHealth },
  { name: 'page', starts: 'last', keys: ['status'], follows: [], start: startPage },
  // Last: whoever sees `online` finds commands listened to and states that are true.
  {
    name: 'availability',
    starts: 'last',
    keys: [],
    follows: ['messaging'],
    start: startAvailability,
  },
];

/** The outputs of a stage as parts of the daemon, in the order of the table. */
export function outputsThatStart(stage: Output['starts']): Part[] {
  return OUTPUTS.filter(({ starts }) => starts === stage).map((output) => {
    let stop: ReturnType<Output['start']> = () => {};
    return {
      name: output.name,
      keys: output.keys,
      needs: output.follows,
      follows: output.follows,
      isLasting: stage === 'first',
      change: null,
      async start(context) {
        stop = await output.start(context);
      },
      async stop() {
        const end = await stop;
        stop = () => {};
        await end();
      },
    };
  });
}

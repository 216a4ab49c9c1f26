import type { ValueOf } from '../schema/section.js';
import type { ChannelDescription, ChannelFault, ChannelSurroundings, Send } from './channel.js';
import { COMMAND } from './channels/command.js';
import { HOME_ASSISTANT } from './channels/home-assistant.js';
import { NTFY } from './channels/ntfy.js';
import { TELEGRAM } from './channels/telegram.js';
import { WEBHOOK } from './channels/webhook.js';

/** Every way out, by its name in the configuration: one row each. */
export const CHANNELS = {
  webhook: WEBHOOK,
  ntfy: NTFY,
  telegram: TELEGRAM,
  homeassistant: HOME_ASSISTANT,
  command: COMMAND,
} as const;

export type ChannelName = keyof typeof CHANNELS;

/** What a rule's `to` declares. */
export const CHANNEL_KEYS = {
  webhook: WEBHOOK.keys,
  ntfy: NTFY.keys,
  telegram: TELEGRAM.keys,
  homeassistant: HOME_ASSISTANT.keys,
  command: COMMAND.keys,
} as const satisfies { readonly [N in ChannelName]: (typeof CHANNELS)[N]['keys'] };

export type ChannelValues = ValueOf<typeof CHANNEL_KEYS>;

/** A channel that a rule has, with the values it is configured with. */
export interface WantedChannel {
  readonly name: ChannelName;
  readonly secrets: readonly string[];
  readonly target: string;
  readonly faults: readonly ChannelFault[];
  readonly templates: readonly (readonly [key: string, template: string])[];
  readonly create: (surroundings: ChannelSurroundings) => Send;
}

/** The channels of a rule, in the order of the table. */
export function wantedChannels(values: ChannelValues): readonly WantedChannel[] {
  return [
    wanted('webhook', WEBHOOK, values.webhook),
    wanted('ntfy', NTFY, values.ntfy),
    wanted('telegram', TELEGRAM, values.telegram),
    wanted('homeassistant', HOME_ASSISTANT, values.homeassistant),
    wanted('command', COMMAND, values.command),
  ].filter((channel) => channel !== null);
}

function wanted<K extends (typeof CHANNELS)[ChannelName]['keys']>(
  name: ChannelName,
  channel: ChannelDescription<K>,
  values: ValueOf<K>,
): WantedChannel | null {
  if (!channel.isWanted(values)) return null;
  return {
    name,
    secrets: channel.secrets,
    target: channel.target(values),
    faults: channel.faults(values),
    templates: channel.templates(values),
    create: (surroundings) => channel.create(values, surroundings),
  };
}

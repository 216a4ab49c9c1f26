import { arch, cpus, platform } from 'node:os';
import { redactConfig } from '../../config/check/secrets.js';
import type { Config } from '../../config/config.js';
import type { Variant } from '../../models/variant.js';
import { VERSION } from '../../package-root.js';
import { readBoardModel } from '../../platform.js';
import type { Context } from '../context.js';
import type { StopOutput } from './output.js';

/** Publishes `<base>/info`; a change of anything in it starts this anew. */
export function startInfo({
  config,
  model,
  messaging,
}: Pick<Context, 'config' | 'model' | 'messaging'>): StopOutput {
  const board = readBoardModel(config.governor.proc_root);
  messaging.publisher.setInfo(infoPayload(config, model.variant, board));
  return () => {};
}

/** Payload of `<base>/info`: what runs where, and the configuration with its secrets masked. */
function infoPayload(
  config: Config,
  variant: Variant,
  board: string | null,
): Record<string, unknown> {
  const { task, name, alpha, size, form } = variant;
  return {
    version: VERSION,
    board: {
      model: board,
      platform: `${platform()} ${arch()}`,
      cpu: cpus()[0]?.model.trim() ?? null,
      cores: cpus().length,
    },
    model: { name, task, alpha, size, form },
    config: redactConfig(config),
  };
}

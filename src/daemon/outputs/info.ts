import { arch, cpus, platform } from 'node:os';
import { redactConfig } from '../../config/check/secrets.js';
import type { Config } from '../../config/config.js';
import type { Variant } from '../../models/variant.js';
import { VERSION } from '../../package-root.js';

/** Payload of `<base>/info`: what runs where, and the configuration with its secrets masked. */
export function infoPayload(
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

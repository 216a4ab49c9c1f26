import { join } from 'node:path';
import type { Config } from '../../config/config.js';
import { codedError } from '../../errors.js';
import type { Variant } from '../../models/variant.js';
import { readBoardModel } from '../../platform.js';
import type { EnergyBudget } from '../../thermal/energy/account.js';
import { knownPower } from '../../thermal/energy/power.js';
import type { GovernorOptions } from '../../thermal/governor.js';
import { LEAST_TARGET_C, limitFor } from '../../thermal/limit.js';

const LEARNT_FILE = 'governor.json';
const ENERGY_FILE = 'energy.json';
/** Limits that commands may set, °C. */
const LEAST_LIMIT_C = 45;
const MOST_LIMIT_C = 85;

/** What the daemon's governor goes by. */
export interface GovernorSettings {
  readonly enabled: boolean | 'auto';
  /** `auto` or the name of the variant that is pinned. */
  readonly pin: string;
  readonly limit: 'auto' | number;
  readonly rules: LawRules;
  /** What this board is; null when it does not say. */
  readonly board: string | null;
  /** What the board may draw; null without a budget. */
  readonly energy: EnergySettings | null;
  /** Where what is learnt about the board is kept. */
  readonly learntFile: string;
}

export interface EnergySettings {
  readonly budget: EnergyBudget;
  /** `auto`, `none` or a file with microwatts. */
  readonly sensor: string;
  readonly sysfsRoot: string;
  /** Where what was used is kept. */
  readonly file: string;
}

type LawRules = Required<
  Pick<GovernorOptions, 'marginC' | 'targetC' | 'floorAlpha' | 'floorSize' | 'minFps' | 'prefer'>
>;

export function governorSettingsOf(config: Config): GovernorSettings {
  const { governor } = config;
  const board = readBoardModel(governor.proc_root);
  return {
    enabled: governor.enabled,
    pin: governor.pin,
    limit: governor.limit,
    rules: {
      marginC: governor.margin,
      targetC: governor.target === 'auto' ? null : governor.target,
      floorAlpha: governor.floor_alpha,
      floorSize: governor.floor_size,
      minFps: governor.min_fps,
      prefer: governor.prefer,
    },
    board,
    energy: energySettingsOf(config, board),
    learntFile: join(config.state_dir, LEARNT_FILE),
  };
}

/** @throws MND_CONFIG_INVALID where there is a budget and nothing is known of what the board draws */
function energySettingsOf(
  { governor, state_dir }: Config,
  board: string | null,
): EnergySettings | null {
  const { watt_hours: wattHours, per, watts, sensor } = governor.energy;
  if (wattHours === 'any') return null;
  const power = watts === 'auto' ? knownPower(board) : { idleW: watts[0], fullW: watts[1] };
  if (power === null) {
    throw codedError('MND_CONFIG_INVALID', {
      subject: 'governor.energy.watts',
      expected: 'the watts that this board draws idle and busy, such as [2.1, 6.4]',
      found: `auto, and nothing is known of ${board ?? 'this machine'}`,
      next: 'measure both at the supply, or take them from the maker’s figures',
    });
  }
  const file = join(state_dir, ENERGY_FILE);
  return { budget: { wattHours, per, power }, sensor, sysfsRoot: governor.sysfs_root, file };
}

/**
 * @throws MND_CONFIG_INVALID when the governor could not work with the limit, or not keep an energy budget
 */
export function checkGovernor(config: Config): void {
  const { board, limit, rules } = governorSettingsOf(config);
  limitFor(board, limit, rules.marginC);
}

/** What may be set at run time, and what the file says of it. */
export interface OverrideLimits {
  /** Names of the variants that can be pinned. */
  readonly pinnable: readonly string[];
  /** Limits the governor may be given, °C: sensible ones, that of the file, and room for its margin. */
  readonly limitC: { readonly min: number; readonly max: number };
  readonly configured: { readonly pin: string; readonly limit: 'auto' | number };
}

export function overrideLimitsOf(config: Config, variants: readonly Variant[]): OverrideLimits {
  const { limit, margin, pin } = config.governor;
  const min = Math.max(LEAST_LIMIT_C, Math.ceil(LEAST_TARGET_C + margin));
  const limitC =
    limit === 'auto'
      ? { min, max: MOST_LIMIT_C }
      : { min: Math.min(min, limit), max: Math.max(MOST_LIMIT_C, limit) };
  return { pinnable: variants.map(({ name }) => name), limitC, configured: { pin, limit } };
}

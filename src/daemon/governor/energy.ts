import type { Log } from '../../log.js';
import {
  EnergyAccount,
  type EnergyRecord,
  type EnergySample,
  type EnergyState,
} from '../../thermal/energy/account.js';
import { findPowerSensor, type PowerSensor } from '../../thermal/energy/power-sensor.js';
import { SYSTEM_TREE } from '../../thermal/sensor/tree.js';
import type { Clock } from '../../time.js';
import type { EnergySettings } from '../options/governor-settings.js';
import { readRecord, saveRecord } from './state-record.js';

const MAX_BYTES = 4096;
/** Seconds between two savings: a crash forgets at most so much of what was drawn. */
const SAVE_S = 300;

/** Keeps an energy budget over restarts, and says once what it goes by and when it is too small. */
export class EnergyKeeper {
  readonly #settings: EnergySettings;
  readonly #log: Log;
  readonly #clock: Pick<Clock, 'wall'>;
  readonly #account: EnergyAccount;
  /** Undefined before it was looked for, null where there is none. */
  #sensor: PowerSensor | null | undefined;
  #state: EnergyState | null = null;
  #unsavedS = 0;
  #saidTooLittle = false;

  constructor(settings: EnergySettings, log: Log, clock: Pick<Clock, 'wall'>) {
    this.#settings = settings;
    this.#log = log;
    this.#clock = clock;
    this.#account = new EnergyAccount(settings.budget, clock.wall(), readBooks(settings.file));
  }

  /** Null before the first second. */
  state(): EnergyState | null {
    return this.#state;
  }

  /** Takes a second; never rejects. */
  async take(sample: Omit<EnergySample, 'nowMs' | 'watts'>): Promise<EnergyState> {
    if (this.#sensor === undefined) this.#sensor = await this.#findSensor();
    const watts = (await this.#sensor?.()) ?? null;
    this.#state = this.#account.take({ ...sample, nowMs: this.#clock.wall(), watts });
    this.#tellTooLittle(this.#state);
    this.#unsavedS += sample.dtS;
    if (this.#unsavedS >= SAVE_S) this.save();
    return this.#state;
  }

  /** Keeps what was drawn for the next life. */
  save(): void {
    this.#unsavedS = 0;
    const books = this.#account.record(this.#clock.wall());
    saveRecord(this.#settings.file, books, 'what was drawn of governor.energy', this.#log);
  }

  async #findSensor(): Promise<PowerSensor | null> {
    const { sensor, sysfsRoot, budget } = this.#settings;
    const path = sensor === 'auto' || sensor === 'none' ? null : sensor;
    const found = sensor === 'none' ? null : await findPowerSensor(sysfsRoot, path, SYSTEM_TREE);
    const { idleW, fullW } = budget.power;
    const how =
      found === null
        ? `reckoned from ${idleW} W idle and ${fullW} W busy, as nothing measures it`
        : 'as its sensor says';
    this.#log.info(
      { watt_hours: budget.wattHours, per: budget.per },
      `governor: ${budget.wattHours} Wh each ${budget.per} for the board, ${how}`,
    );
    return found;
  }

  #tellTooLittle({ isTooLittle, allowedW, watts, per }: EnergyState): void {
    if (isTooLittle === this.#saidTooLittle) return;
    this.#saidTooLittle = isTooLittle;
    if (!isTooLittle) {
      this.#log.info({}, 'governor: governor.energy leaves something for inference again');
      return;
    }
    this.#log.warn(
      { code: 'MND_ENERGY_SHORT' },
      `governor: governor.energy leaves ${Math.max(0, allowedW).toFixed(2)} W for the rest of the ${per}, and the board draws ${watts.toFixed(2)} W: frames are dropped down to governor.min_fps, which may not be enough; raise governor.energy.watt_hours or lower governor.min_fps`,
    );
  }
}

/** Null where there are none, or damaged ones. */
function readBooks(file: string): EnergyRecord | null {
  const { startMs, savedMs, usedWh } = readRecord(file, MAX_BYTES) ?? {};
  if (!isFiniteNumber(startMs) || !isFiniteNumber(savedMs) || !isFiniteNumber(usedWh)) return null;
  return { startMs, savedMs, usedWh };
}

function isFiniteNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

import type { GovernorMode, Mix, Reliance, Rung, SensorFault } from './sample.js';

export interface Explanation {
  readonly mode: GovernorMode;
  readonly fault: SensorFault | null;
  readonly ladder: readonly Rung[];
  readonly mix: Mix;
  /** The way in which each rung of the mix is run. */
  readonly ways: Pick<Mix, 'low' | 'high'>;
  readonly fps: number;
  readonly requestedFps: number;
  readonly temperatureC: number | null;
  /** °C a second over the last seconds. */
  readonly trendC: number;
  readonly limitC: number;
  /** The cooler target that is kept to, °C; null where the limit alone counts. */
  readonly heldC: number | null;
  /** It is an energy budget that holds the load down. */
  readonly savesEnergy: boolean;
  readonly heatFlag: boolean;
  readonly undervoltage: boolean;
  readonly reliesOn: Reliance;
  /** The clock was lowered while no sensor tells why. */
  readonly slowed: boolean;
  /** What a neighbour takes of the CPU, 0 to 1; null when there is none, or nothing to share. */
  readonly others: number | null;
  /** They would take what we left: the board is as hot whatever we do. */
  readonly yieldsInVain: boolean;
}

/** What is wrong with a sensor, in words. */
export const FAULTS: Record<SensorFault, string> = {
  missing: 'the temperature sensor cannot be read',
  range: 'the temperature sensor reads nonsense',
  jump: 'the temperature sensor contradicts the model of the board',
  frozen: 'the temperature sensor is frozen',
  unresponsive: 'the temperature sensor has not answered to half an hour of changing load',
  contradicted: 'the firmware throttles although the sensor reads cool',
};

/** What is done while the sensor fails, by what stands in for it. */
const OUTLOOKS: Record<Reliance, string> = {
  sensor: '',
  model: 'going by what is known of the board, more carefully each minute',
  'model and second sensor': 'going by what is known of the board and by a second sensor',
  nothing: 'the least the rules allow',
};

/** A sentence a person understands. */
export function explain(e: Explanation): string {
  const parts = [`${situation(e)}: ${action(e)}`, neighbour(e), outlook(e)];
  if (e.slowed) parts.push('the processor’s clock is lower than under as much load before');
  if (e.undervoltage) parts.push('the power supply is too weak (not a heat problem)');
  return parts.filter((part) => part !== '').join('; ');
}

function situation(e: Explanation): string {
  const t = e.temperatureC === null ? '' : `${e.temperatureC.toFixed(1)} °C`;
  if (e.fault !== null) return FAULTS[e.fault];
  if (e.mode === 'emergency') {
    const why = e.heatFlag
      ? 'the firmware throttles'
      : `too close to the limit of ${e.limitC.toFixed(0)} °C`;
    return t === '' ? why : `${t}, ${why}`;
  }
  const trend = e.trendC > 0.03 ? 'rising' : e.trendC < -0.03 ? 'falling' : 'steady';
  return t === '' ? 'no temperature yet' : `${t} and ${trend}`;
}

function action(e: Explanation): string {
  const { low, high, fraction } = e.mix;
  const rate =
    e.fps < e.requestedFps - 0.05
      ? ` at ${round(e.fps)} of ${round(e.requestedFps)} frames a second`
      : '';
  const share = Math.round(fraction * 100);
  const lower = label(e.ladder[low], e.ways.low);
  const upper = label(e.ladder[high], e.ways.high);
  if (low === high || share <= 0) return `${lower}${rate}`;
  if (share >= 100) return `${upper}${rate}`;
  return `${upper} for ${share} % of frames, ${lower} for ${100 - share} %${rate}`;
}

function neighbour({ others, yieldsInVain }: Explanation): string {
  if (others === null) return '';
  const share = Math.round(others * 100);
  if (yieldsInVain) {
    return `other programs take ${share} % of the CPU and would take what we left, so that to leave it cools nothing`;
  }
  return `other programs take ${share} % of the CPU, and ours is what they leave`;
}

function outlook(e: Explanation): string {
  if (e.mode === 'full') return 'nothing to save';
  if (e.mode === 'limited') {
    if (e.yieldsInVain) return '';
    if (e.savesEnergy) return 'as much as governor.energy leaves for each second';
    return e.heldC === null
      ? 'sustainable for the next 5 min'
      : `as cool as ${e.heldC.toFixed(0)} °C, which the configuration asks for`;
  }
  if (e.mode === 'emergency') return 'the least until it has cooled';
  if (e.mode === 'coasting') return 'going by the model for a few seconds';
  return OUTLOOKS[e.reliesOn];
}

function label(rung: Rung | undefined, way: number): string {
  if (rung === undefined) return 'nothing';
  const name = rung.alpha === null ? rung.name : `${rung.alpha}/${rung.size}`;
  // The fastest way goes without saying.
  const threads = way === 0 ? undefined : rung.ways?.[way]?.threads;
  if (threads === undefined) return name;
  return `${name} on ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}

function round(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(1);
}

import type { PlantParameters, Throttle } from './plant.js';

/** A public measurement the plant was fitted to. */
export interface Anchor {
  readonly state: 'idle' | 'full';
  readonly ambientC: number;
  readonly dieC: number;
  /** How far the plant may be off, °C. */
  readonly toleranceC: number;
  readonly source: string;
}

export interface Board {
  readonly name: string;
  readonly description: string;
  readonly plant: PlantParameters;
  /** What the governor is told not to reach, °C. */
  readonly limitC: number;
  /** Milliseconds of a frame = overhead + per-million · mult-adds (all cores). */
  readonly overheadMs: number;
  readonly msPerMillion: number;
  /** Frame rate the cameras ask for: it makes the largest network nearly fill the CPU. */
  readonly requestedFps: number;
  /** Sensor: first-order lag, noise (one standard deviation), step. */
  readonly sensor: { readonly lagS: number; readonly noiseC: number; readonly stepC: number };
  readonly anchors: readonly Anchor[];
}

const PHORONIX = 'https://www.phoronix.com/review/raspberry-pi-5-benchmarks/2';
const STEIN = 'https://www.djstein.com/raspberry-pi-4b-case-test-results/';
const ROWAN = 'https://www.martinrowan.co.uk/2020/12/the-raspberry-pi-product-that-shouldnt-exist/';
const ESTIMATE = 'estimate from the same board in another housing; no public figure used';

/** 80 °C progressive, 85 °C hard: raspberrypi.com/documentation, "Frequency management and thermal control". */
const THROTTLE: Throttle = { softC: 80, hardC: 85, minClock: 0.5, stepC: null, stepClock: 1 };
/** 3A+ and 3B+: 1.4 GHz falls to 1.2 GHz at the soft limit of 60 °C (same page). */
const THROTTLE_3BPLUS: Throttle = { ...THROTTLE, stepC: 60, stepClock: 1.2 / 1.4 };

/** The highest soft limit config.txt takes. */
const THROTTLE_SOFT70: Throttle = { ...THROTTLE_3BPLUS, stepC: 70 };

/** Power 1.9 W idle, about 5 W loaded: raspi.tv measures 3B-class boards at the wall. */
const PI3: Omit<PlantParameters, 'boardOutKW'> = {
  idleDieW: 0.7,
  boardW: 1.2,
  dynamicW: 3.0,
  leakageW: 0.25,
  dieJK: 3.2,
  boardJK: 18,
  caseJK: 0,
  dieToBoardKW: 2.0,
  caseOutKW: 0,
  fan: null,
  throttle: THROTTLE_3BPLUS,
};
/** Power 2.1 W idle, 6.4 W loaded. */
const PI4: Omit<PlantParameters, 'boardOutKW'> = {
  idleDieW: 0.9,
  boardW: 1.2,
  dynamicW: 4.0,
  leakageW: 0.3,
  dieJK: 3,
  boardJK: 18,
  caseJK: 0,
  dieToBoardKW: 2.4,
  caseOutKW: 0,
  fan: null,
  throttle: THROTTLE,
};
/** Power about 2.7 W idle; the load adds about 5.3 W. */
const PI5: Omit<PlantParameters, 'boardOutKW'> = {
  idleDieW: 1.2,
  boardW: 1.5,
  dynamicW: 5.3,
  leakageW: 0.4,
  dieJK: 3,
  boardJK: 22,
  caseJK: 0,
  dieToBoardKW: 2.0,
  caseOutKW: 0,
  fan: null,
  throttle: THROTTLE,
};
/** Power 0.7 W idle, about 3 W loaded: a Pi 3 on a small board. */
const ZERO2: Omit<PlantParameters, 'boardOutKW'> = {
  idleDieW: 0.35,
  boardW: 0.3,
  dynamicW: 2.1,
  leakageW: 0.15,
  dieJK: 2.4,
  boardJK: 9,
  caseJK: 0,
  dieToBoardKW: 2.6,
  caseOutKW: 0,
  fan: null,
  throttle: THROTTLE,
};
/** Pi 5 firmware: 50/60/67.5/75 °C switch the fan to 30/50/70/100 %. */
const PI5_FAN = [
  [50, 0.3],
  [60, 0.5],
  [67.5, 0.7],
  [75, 1],
] as const;

/** Published XNNPACK int8 times of MobileNetV1 1.0/224: 3B+ 46 ms, Pi 4 24 to 29 ms, Pi 5 9 to 14 ms. */
const SPEED3 = { overheadMs: 2.5, msPerMillion: 0.0765, requestedFps: 20, limitC: 60 };
const SPEED4 = { overheadMs: 1.5, msPerMillion: 0.045, requestedFps: 33, limitC: 80 };
const SPEED5 = { overheadMs: 0.8, msPerMillion: 0.016, requestedFps: 90, limitC: 80 };

/** The cores of a 3B+ at 1 of its 1.4 GHz. */
const SPEED_ZERO2 = { overheadMs: 3.5, msPerMillion: 0.107, requestedFps: 14, limitC: 80 };

/** Steps of the Broadcom sensors: 0.54 °C (2837), 0.49 °C (2711), 0.55 °C (2712). */
const SENSOR3 = { lagS: 0.5, noiseC: 0.25, stepC: 0.538 };
const SENSOR4 = { lagS: 0.5, noiseC: 0.25, stepC: 0.487 };
const SENSOR5 = { lagS: 0.5, noiseC: 0.3, stepC: 0.55 };

export const BOARDS: readonly Board[] = [
  {
    name: 'pi3bplus-bare',
    description: 'Pi 3B+, bare',
    ...SPEED3,
    sensor: SENSOR3,
    plant: { ...PI3, boardOutKW: 7.5 },
    anchors: [{ state: 'full', ambientC: 25, dieC: 68, toleranceC: 6, source: ESTIMATE }],
  },
  {
    name: 'pi3bplus-heatsink',
    description: 'Pi 3B+, stick-on heatsink, temp_soft_limit=70',
    ...SPEED3,
    limitC: 70,
    sensor: SENSOR3,
    plant: { ...PI3, boardJK: 24, boardOutKW: 6.2, throttle: THROTTLE_SOFT70 },
    anchors: [{ state: 'full', ambientC: 25, dieC: 61, toleranceC: 6, source: ESTIMATE }],
  },
  {
    name: 'pi3bplus-case',
    description: 'Pi 3B+ in a closed plastic case, temp_soft_limit=70',
    ...SPEED3,
    limitC: 70,
    sensor: SENSOR3,
    plant: { ...PI3, caseJK: 120, boardOutKW: 5, caseOutKW: 4, throttle: THROTTLE_SOFT70 },
    anchors: [{ state: 'full', ambientC: 25, dieC: 73, toleranceC: 6, source: ESTIMATE }],
  },
  {
    name: 'pi4-bare',
    description: 'Pi 4, bare',
    ...SPEED4,
    sensor: SENSOR4,
    plant: { ...PI4, boardOutKW: 7.6 },
    anchors: [
      {
        state: 'full',
        ambientC: 25,
        dieC: 83,
        toleranceC: 3,
        source: 'closed-form fit of a bare Pi 4 fully loaded at 25 °C',
      },
    ],
  },
  {
    name: 'pi4-heatsink',
    description: 'Pi 4, stick-on heatsink',
    ...SPEED4,
    sensor: SENSOR4,
    plant: { ...PI4, boardJK: 28, boardOutKW: 6.6 },
    anchors: [
      {
        state: 'full',
        ambientC: 25,
        dieC: 77,
        toleranceC: 5,
        source:
          'https://blog.pimoroni.com/raspberry-pi-4-thermals-and-fan-shim/ (a heatsink does little under long load)',
      },
    ],
  },
  {
    name: 'pi4-case',
    description: 'Pi 4 in the closed official case',
    ...SPEED4,
    sensor: SENSOR4,
    plant: { ...PI4, caseJK: 140, boardOutKW: 5.8, caseOutKW: 4.2 },
    anchors: [
      { state: 'full', ambientC: 24, dieC: 87, toleranceC: 5, source: `${STEIN} (throttled)` },
      {
        state: 'idle',
        ambientC: 21,
        dieC: 50,
        toleranceC: 6,
        source: `${ROWAN} (56 °C at 21 °C with a desktop running)`,
      },
    ],
  },
  {
    name: 'pi4-case-fan',
    description: 'Pi 4 in the official case with its fan',
    ...SPEED4,
    sensor: SENSOR4,
    plant: {
      ...PI4,
      caseJK: 140,
      boardOutKW: 5.8,
      caseOutKW: 4.2,
      fan: { steps: [[65, 1]], boost: 3 },
    },
    anchors: [{ state: 'full', ambientC: 24, dieC: 66, toleranceC: 6, source: STEIN }],
  },
  {
    name: 'pi4-metal',
    description: 'Pi 4 in a passive aluminium case',
    ...SPEED4,
    sensor: SENSOR4,
    plant: { ...PI4, caseJK: 190, dieToBoardKW: 2, boardOutKW: 1.8, caseOutKW: 3 },
    anchors: [
      {
        state: 'full',
        ambientC: 24,
        dieC: 70,
        toleranceC: 5,
        source: 'https://www.djstein.com/raspberry-pi-4b-case-test-observations',
      },
    ],
  },
  {
    name: 'pi4-sealed',
    description: 'Pi 4 in a sealed box outdoors',
    ...SPEED4,
    sensor: SENSOR4,
    plant: { ...PI4, caseJK: 260, boardOutKW: 5.2, caseOutKW: 3.4 },
    anchors: [{ state: 'full', ambientC: 20, dieC: 81, toleranceC: 6, source: ESTIMATE }],
  },
  {
    name: 'pi5-bare',
    description: 'Pi 5, uncooled',
    ...SPEED5,
    sensor: SENSOR5,
    plant: { ...PI5, boardOutKW: 6.9 },
    anchors: [
      {
        state: 'full',
        ambientC: 23,
        dieC: 83,
        toleranceC: 4,
        source: `${PHORONIX} (81 °C mean of a benchmark mix, 89 °C peak)`,
      },
      {
        state: 'idle',
        ambientC: 23,
        dieC: 47,
        toleranceC: 5,
        source: 'https://beamostore.com/guides/raspberry-pi-5-overheating (about 50 °C)',
      },
    ],
  },
  {
    name: 'pi5-cooler',
    description: 'Pi 5 with the active cooler',
    ...SPEED5,
    sensor: SENSOR5,
    plant: { ...PI5, boardJK: 45, boardOutKW: 5.8, fan: { steps: PI5_FAN, boost: 1.2 } },
    anchors: [
      {
        state: 'full',
        ambientC: 23,
        dieC: 63,
        toleranceC: 9,
        source: `${PHORONIX} (56 °C mean, 72 °C peak)`,
      },
    ],
  },
  {
    name: 'pi5-case',
    description: 'Pi 5 in the official case with its fan',
    ...SPEED5,
    sensor: SENSOR5,
    plant: {
      ...PI5,
      caseJK: 130,
      boardOutKW: 5.6,
      caseOutKW: 3.6,
      fan: { steps: PI5_FAN, boost: 2 },
    },
    anchors: [{ state: 'full', ambientC: 23, dieC: 72, toleranceC: 8, source: ESTIMATE }],
  },
  {
    name: 'pi5-metal',
    description: 'Pi 5 in a passive aluminium case',
    ...SPEED5,
    sensor: SENSOR5,
    plant: { ...PI5, caseJK: 220, dieToBoardKW: 1.7, boardOutKW: 1.8, caseOutKW: 3.4 },
    anchors: [{ state: 'full', ambientC: 23, dieC: 76, toleranceC: 8, source: ESTIMATE }],
  },
  {
    name: 'zero2w-bare',
    description: 'Pi Zero 2 W, bare',
    ...SPEED_ZERO2,
    sensor: SENSOR3,
    plant: { ...ZERO2, boardOutKW: 16.5 },
    anchors: [{ state: 'full', ambientC: 25, dieC: 80, toleranceC: 6, source: ESTIMATE }],
  },
  {
    name: 'zero2w-case',
    description: 'Pi Zero 2 W in a closed case',
    ...SPEED_ZERO2,
    sensor: SENSOR3,
    plant: { ...ZERO2, caseJK: 60, boardOutKW: 11, caseOutKW: 8 },
    anchors: [{ state: 'full', ambientC: 25, dieC: 87, toleranceC: 8, source: ESTIMATE }],
  },
];

export function findBoard(name: string): Board | undefined {
  return BOARDS.find((board) => board.name === name);
}

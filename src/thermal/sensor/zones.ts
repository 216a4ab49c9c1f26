import { join } from 'node:path';
import { namesIn, type Tree } from './tree.js';

/** One file with a temperature. */
export interface Zone {
  readonly path: string;
  /** Type of the thermal zone, or name of the monitoring chip. */
  readonly type: string;
}

/** Zones of one kind: what counts is the hottest of them. */
export type ZoneGroup = readonly Zone[];

/** Zones of processors on boards: cpu-thermal, cpu0-thermal, soc_thermal, bigcore1-thermal … */
const BOARD_ZONE = /^(?:cpu|soc|bcm2835|big|little|package|cluster)[\w-]*$/i;
/** Parts of such names that mean something else. */
const ELSEWHERE = /gpu|npu|vpu|ddr|batt|charg|modem|wifi|wlan|pmic|cpufreq/i;
const PACKAGE_ZONE = /^(?:x86_pkg_temp|coretemp|k10temp|TCPU)$/;
const PACKAGE_CHIP = /^(?:coretemp|k10temp|zenpower|via_cputemp)$/;
const FIRMWARE_ZONE = /^acpitz$/;
/** A chip's temperature that is shifted by a constant; the true one is `Tdie`. */
const SHIFTED = 'Tctl';
const TRUE_LABEL = 'Tdie';

/** The processor's sensors of a tree such as /sys, best kind first; kinds without a zone are left out. */
export async function findProcessorZones(root: string, tree: Tree): Promise<readonly ZoneGroup[]> {
  const [zones, chips] = await Promise.all([thermalZones(root, tree), chipZones(root, tree)]);
  const of = (all: readonly Zone[], type: RegExp) =>
    all.filter((zone) => type.test(zone.type) && !ELSEWHERE.test(zone.type));
  const groups = [
    of(zones, BOARD_ZONE),
    [...of(zones, PACKAGE_ZONE), ...of(chips, PACKAGE_CHIP)],
    of(chips, BOARD_ZONE),
    [...of(zones, FIRMWARE_ZONE), ...of(chips, FIRMWARE_ZONE)],
  ];
  return groups.filter((group) => group.length > 0);
}

/** All zones and chips of one type; `-` and `_` are alike, since chips are named with `_` only. */
export async function findZonesOfType(
  root: string,
  type: string,
  tree: Tree,
): Promise<readonly ZoneGroup[]> {
  const [zones, chips] = await Promise.all([thermalZones(root, tree), chipZones(root, tree)]);
  const alike = (text: string) => text.replaceAll('-', '_');
  const exact = zones.filter((zone) => zone.type === type);
  const others = [...zones, ...chips].filter((zone) => alike(zone.type) === alike(type));
  return [exact, others].filter((group) => group.length > 0);
}

/** Chips and zones beside the processor, the nearest first: what the board they share is warmed by. */
const OTHERS = [
  /^rp1/i,
  /pmic|^axp|^rk8|^da90/i,
  /gpu|npu|vpu|ddr|isp/i,
  /^nvme/i,
  /wifi|wlan|phy/i,
];

/** Sensors of the board that are not the processor's, those that follow it most closely first. */
export async function findOtherZones(root: string, tree: Tree): Promise<readonly Zone[]> {
  const [zones, chips] = await Promise.all([thermalZones(root, tree), chipZones(root, tree)]);
  const all = [...zones, ...chips];
  return OTHERS.flatMap((kind) => all.filter(({ type }) => kind.test(type)));
}

async function thermalZones(root: string, tree: Tree): Promise<readonly Zone[]> {
  const folder = join(root, 'class/thermal');
  const names = await namesIn(tree, folder);
  const zones = names.filter((name) => name.startsWith('thermal_zone'));
  return Promise.all(
    zones.map(async (name) => ({
      path: join(folder, name, 'temp'),
      type: await textOf(tree, join(folder, name, 'type')),
    })),
  );
}

async function chipZones(root: string, tree: Tree): Promise<readonly Zone[]> {
  const folder = join(root, 'class/hwmon');
  const names = await namesIn(tree, folder);
  const found = await Promise.all(names.map((name) => inputsOf(join(folder, name), tree)));
  return found.flat();
}

async function inputsOf(chip: string, tree: Tree): Promise<readonly Zone[]> {
  const type = await textOf(tree, join(chip, 'name'));
  const names = await namesIn(tree, chip);
  const inputs = names.filter((name) => /^temp\d+_input$/.test(name));
  const labels = await Promise.all(
    inputs.map((name) => textOf(tree, join(chip, name.replace('_input', '_label')))),
  );
  const hasTrue = labels.includes(TRUE_LABEL);
  return inputs
    .filter((_, index) => !(hasTrue && labels[index] === SHIFTED))
    .map((name) => ({ path: join(chip, name), type }));
}

async function textOf(tree: Tree, path: string): Promise<string> {
  return (await tree.readText(path).catch(() => '')).trim();
}

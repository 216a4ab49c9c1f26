import { isDeepStrictEqual } from 'node:util';
import { coordinatesFault, isShare } from '../../camera/region.js';
import { faultsOf, SOURCE_KEYS, SOURCES } from '../../camera/registry.js';
import { followsSun } from '../../camera/schedule.js';
import { FIXED_FIRST } from '../../mqtt/topics.js';
import { isLeaf } from '../../schema/section.js';
import type { CameraConfig, Config } from '../config.js';
import { keysOf } from '../schema/keys.js';
import type { Report } from './problem.js';
import { userInfoOf } from './user-info.js';
import { checkZones } from './zones.js';

/** What must fit together in each camera. */
export function checkCameras(config: Config, report: Report): void {
  for (const name of Object.keys(config.cameras)) checkCamera(name, config, report);
}

function checkCamera(name: string, config: Config, report: Report): void {
  const camera = config.cameras[name];
  if (camera === undefined) return;
  const path = ['cameras', name];
  if (FIXED_FIRST.some((level) => level === name)) {
    report(path, `expected another name; the topic "${name}" has a meaning of its own`);
  }
  checkSource(camera, path, report);
  checkRegion(camera, path, report);
  checkZones(camera, config, path, report);
  if (config.location === null && followsSun(camera.schedule)) {
    const message = 'sunrise and sunset need location: [latitude, longitude]';
    report([...path, 'schedule'], message, ['location']);
  }
  checkThresholds(config, camera, path, report);
}

function checkSource(camera: CameraConfig, path: readonly string[], report: Report): void {
  const { source } = camera;
  const sourceKey = [...path, 'source'].join('.');
  const { needs, keys } = SOURCES[source];
  const given = needs.filter((key) => camera[key] !== null);
  if (needs.length > 0 && given.length === 0) {
    const needed = needs.map((key) => [...path, key].join('.'));
    report(path, `source ${source} needs ${needs.join(' or ')}`, [sourceKey, ...needed]);
  }
  if (given.length > 1) {
    report(path, `source ${source} takes ${needs.join(' or ')}, not both`, [sourceKey]);
  }
  for (const { dotted, path: below, node } of keysOf(SOURCE_KEYS)) {
    const [first = ''] = below;
    const value = valueAt(camera, below);
    const isUnset = isLeaf(node) && isDeepStrictEqual(value, node.default);
    if (isUnset || Object.hasOwn(keys, first)) continue;
    report([...path, ...below], `source ${source} has no ${dotted.split('.')[0]}; remove it`, [
      sourceKey,
    ]);
  }
  checkLogin(camera, path, report);
  for (const { key, expected } of faultsOf(camera)) {
    const keyPath = [...path, ...key.split('.')];
    report(keyPath, `source ${source}: expected ${expected}`, [sourceKey]);
  }
  if (camera.time_zone !== null && camera.schedule.length === 0) {
    report([...path, 'time_zone'], 'has no effect without a schedule', [
      [...path, 'schedule'].join('.'),
    ]);
  }
}

/** Each of user name and password comes from one place only, and a password needs a user. */
function checkLogin(camera: CameraConfig, path: readonly string[], report: Report): void {
  const { url, username, password, password_file: file } = camera;
  const keyOf = (key: string): string => [...path, key].join('.');
  const user = userInfoOf(url);
  if (username !== null && user.username !== '') {
    report([...path, 'username'], `the user name is given twice, also by ${keyOf('url')}`, [
      keyOf('url'),
    ]);
  }
  const places = [
    password !== null && 'password',
    file !== null && 'password_file',
    user.password !== '' && 'url',
  ].filter((place) => place !== false);
  const [first, second] = places;
  if (second !== undefined) {
    report([...path, second], `the password is given twice, also by ${keyOf(first ?? '')}`, [
      keyOf(first ?? ''),
    ]);
  }
  if (first !== undefined && username === null && user.username === '') {
    report([...path, first], `a password needs ${keyOf('username')}`, [
      keyOf('username'),
      keyOf('url'),
    ]);
  }
}

function valueAt(camera: CameraConfig, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (section, name) => (section as Readonly<Record<string, unknown>>)[name],
    camera,
  );
}

/** The camera's own thresholds, with the general ones where it has none. */
function checkThresholds(
  config: Config,
  camera: CameraConfig,
  path: readonly string[],
  report: Report,
): void {
  const own = camera.presence;
  if (own.enter === null && own.stay === null) return;
  const enter = own.enter ?? config.presence.enter;
  const stay = own.stay ?? config.presence.stay;
  if (stay < enter) return;
  const keys = ['enter', 'stay'].map((key) => [...path, 'presence', key].join('.'));
  report(
    [...path, 'presence', own.stay === null ? 'enter' : 'stay'],
    `stay (${stay}) must be less than enter (${enter})`,
    ['presence.enter', 'presence.stay', ...keys],
  );
}

function checkRegion(camera: CameraConfig, path: readonly string[], report: Report): void {
  const [width, height] = camera.size;
  const sizeKey = [...path, 'size'].join('.');
  const cropFault = camera.crop === null ? null : coordinatesFault(camera.crop);
  if (cropFault !== null) report([...path, 'crop'], `expected ${cropFault}`);
  else if (camera.crop !== null) {
    const [x, y, across, down] = camera.crop;
    const [most, lowest] = isShare(camera.crop) ? [1, 1] : [width, height];
    const isEmpty = across === 0 || down === 0;
    if (isEmpty || x + across > most + ROUNDING || y + down > lowest + ROUNDING) {
      report([...path, 'crop'], `expected a part of the frame of ${width}×${height}`, [sizeKey]);
    }
  }
  for (const polygon of camera.mask) {
    const fault = coordinatesFault(polygon.flat());
    if (fault !== null) report([...path, 'mask'], `expected ${fault}`);
    else if (!polygon.every(([x, y]) => x <= width && y <= height)) {
      report([...path, 'mask'], `expected points in the frame of ${width}×${height}`, [sizeKey]);
      return;
    }
  }
}

/** 0.35 + 0.65 may come out a little over 1. */
const ROUNDING = 1e-9;

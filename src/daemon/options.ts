import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { CameraConfig, Config } from '../config/config.js';
import { parseListen, parseSize } from '../config/schema/formats.js';
import { codedError } from '../errors.js';
import { startEngine } from '../inference/engine.js';
import { thisProcessor } from '../inference/processor.js';
import type { Variant } from '../models/variant.js';
import type { ConnectionOptions, TlsOptions } from '../mqtt/connection/connection.js';
import { checkCameraNames, checkLabelNames } from '../mqtt/topics.js';
import { readBoardModel } from '../platform.js';
import type { PresenceOptions } from '../presence/presence.js';
import { threadCounts } from '../profile/profiling.js';
import type { StoreTuning } from '../store/store.js';
import type { GovernorOptions } from '../thermal/governor.js';
import { LEAST_TARGET_C, limitFor } from '../thermal/limit.js';
import { shortName } from './line/labels.js';
import type { StartEngine } from './line/mixed-engine.js';

// The one place where the configuration becomes options of parts.

const LEARNT_FILE = 'governor.json';
/** Limits that commands may set, °C. */
const LEAST_LIMIT_C = 45;
const MOST_LIMIT_C = 85;
const OUTBOX_ROWS = 10_000;
/** Labels of a detector that are announced as OFF before they are ever seen. */
const MAX_ANNOUNCED = 100;

/** Threads of one inference: every core but one, at most three (more gain little and heat a lot). */
export function threadsOf(config: Config, cores = availableParallelism()): number {
  const { threads } = config.model;
  return threads === 'auto' ? Math.max(1, Math.min(3, cores - 1)) : threads;
}

/** How an engine of the configuration is started. */
export function engineOf(config: Config): StartEngine {
  return (onFault) => startEngine({ threads: threadsOf(config), onFault });
}

export function databaseFileOf(config: Config): string {
  return join(config.state_dir, 'mobilenetd.db');
}

export function storeTuningOf(config: Config): StoreTuning {
  return {
    commitInterval: config.store.commit_interval,
    detectionInterval: config.store.detection_interval,
    minScore: leastScoreOf(config),
    retention: {
      days: config.store.retention.days,
      maxBytes: parseSize(config.store.retention.max_size),
    },
    outbox: { maxAge: config.mqtt.max_age, maxRows: OUTBOX_ROWS },
  };
}

export function cameraOf(config: Config, name: string): CameraConfig {
  const camera = config.cameras[name];
  if (camera !== undefined) return camera;
  throw codedError('MND_INTERNAL', { subject: 'cameras', expected: 'a camera', found: name });
}

/** What a camera's results are judged by; can change while it runs. */
export interface LabelRules {
  /** By the way the camera is read. */
  readonly presenceOptions: Readonly<Record<'stream' | 'still', PresenceOptions>>;
  /** Labels that are kept; null keeps all. */
  readonly labels: ReadonlySet<string> | null;
  /** Scores below this change nothing: the least `stay` of any label. */
  readonly leastScore: number;
}

export function labelRulesOf(
  config: Config,
  name: string,
  createId: (timeMs: number) => string,
): LabelRules {
  const camera = cameraOf(config, name);
  return {
    presenceOptions: {
      stream: presenceOptionsOf(config, camera, 'stream', createId),
      still: presenceOptionsOf(config, camera, 'still', createId),
    },
    labels: keptLabelsOf(config, camera),
    leastScore: leastScoreOf(config, camera),
  };
}

/** What the daemon's governor goes by. */
export interface GovernorSettings {
  readonly enabled: boolean | 'auto';
  /** `auto` or the name of the variant that is pinned. */
  readonly pin: string;
  readonly limit: 'auto' | number;
  readonly rules: LawRules;
  /** What this board is; null when it does not say. */
  readonly board: string | null;
  /** Where what is learnt about the board is kept. */
  readonly learntFile: string;
}

type LawRules = Required<
  Pick<GovernorOptions, 'marginC' | 'floorAlpha' | 'floorSize' | 'minFps' | 'prefer'>
>;

export function governorSettingsOf(config: Config): GovernorSettings {
  const { governor } = config;
  return {
    enabled: governor.enabled,
    pin: governor.pin,
    limit: governor.limit,
    rules: {
      marginC: governor.margin,
      floorAlpha: governor.floor_alpha,
      floorSize: governor.floor_size,
      minFps: governor.min_fps,
      prefer: governor.prefer,
    },
    board: readBoardModel(governor.proc_root),
    learntFile: join(config.state_dir, LEARNT_FILE),
  };
}

/**
 * @throws MND_CONFIG_INVALID when the governor could not work with the limit
 */
export function checkGovernor(config: Config): void {
  const { board, limit, rules } = governorSettingsOf(config);
  limitFor(board, limit, rules.marginC);
}

export interface ProfilingSettings {
  readonly stateDir: string;
  /** Thread counts that are measured. */
  readonly threads: readonly number[];
}

export function profilingSettingsOf({ model, state_dir: stateDir }: Config): ProfilingSettings {
  const { threads } = model;
  return {
    stateDir,
    threads: threads === 'auto' ? threadCounts(thisProcessor().cores) : [threads],
  };
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

/** The broker that runs in this process when no other is configured. */
export interface EmbeddedOptions {
  readonly host: string;
  readonly port: number;
  /** Hashes of passwords by user name. */
  readonly users: Readonly<Record<string, string>>;
  readonly allowAnonymous: boolean;
  /** Where it keeps what is retained. */
  readonly file: string;
}

export interface MessagingOptions {
  readonly base: string;
  readonly node: string;
  /** Null: the embedded broker. */
  readonly url: string | null;
  readonly connection: Pick<
    ConnectionOptions,
    'username' | 'password' | 'clientId' | 'protocol' | 'keepalive' | 'tls'
  >;
  readonly embedded: EmbeddedOptions;
  /** Seconds an event is worth delivering. */
  readonly maxEventAge: number;
}

/** @throws MND_CONFIG_INVALID when a file of the TLS settings cannot be read */
export function messagingOptionsOf(config: Config): MessagingOptions {
  const { mqtt, node } = config;
  const { listen, users, allow_anonymous: allowAnonymous } = mqtt.embedded;
  return {
    base: mqtt.base,
    node,
    url: mqtt.url,
    connection: {
      username: mqtt.username,
      password: mqtt.password,
      clientId: mqtt.client_id ?? `mobilenetd-${node}`,
      protocol: mqtt.protocol === '3.1.1' ? 4 : mqtt.protocol,
      keepalive: mqtt.keepalive,
      tls: tlsOf(config),
    },
    embedded: {
      ...parseListen(listen),
      users,
      allowAnonymous,
      file: join(config.state_dir, 'retained.json'),
    },
    maxEventAge: mqtt.max_age,
  };
}

/** The TLS settings of the configuration with their files read. @throws MND_CONFIG_INVALID */
export function tlsOf(config: Config): TlsOptions {
  const { ca_file, cert_file, key_file, verify, server_name, min_version, alpn } = config.mqtt.tls;
  return {
    verify,
    minVersion: min_version,
    ...(alpn.length > 0 && { alpn }),
    ...(server_name !== null && { serverName: server_name }),
    ...(ca_file !== null && { ca: readPem('mqtt.tls.ca_file', ca_file) }),
    ...(cert_file !== null && { cert: readPem('mqtt.tls.cert_file', cert_file) }),
    ...(key_file !== null && { key: readPem('mqtt.tls.key_file', key_file) }),
  };
}

function readPem(key: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw codedError('MND_CONFIG_INVALID', {
      subject: key,
      expected: 'a PEM file that can be read',
      found: file,
      cause,
    });
  }
}

/** Labels of a camera that have a topic from the start: those it keeps, or a detector's own. */
function announcedLabelsOf(config: Config, name: string, variant: Variant): string[] {
  const camera = config.cameras[name];
  if (camera !== undefined && camera.labels !== 'all') return [...camera.labels];
  const groups = Object.keys(config.presence.groups);
  const labels = variant.labels.slice(variant.task === 'detect' ? 1 : 0).filter(Boolean);
  return labels.length > MAX_ANNOUNCED ? groups : [...groups, ...labels.map(shortName)];
}

/**
 * The same of all cameras that are enabled.
 *
 * @throws MND_MQTT_TOPIC when names of cameras or of their labels collide
 */
export function announcedLabels(config: Config, variant: Variant): Map<string, string[]> {
  const enabled = Object.entries(config.cameras).filter(([, camera]) => camera.enabled);
  const all = new Map(enabled.map(([name]) => [name, announcedLabelsOf(config, name, variant)]));
  for (const labels of all.values()) checkLabelNames(labels);
  checkCameraNames(all.keys());
  return all;
}

function presenceOptionsOf(
  config: Config,
  camera: CameraConfig,
  mode: 'stream' | 'still',
  createId: (timeMs: number) => string,
): PresenceOptions {
  const { presence } = config;
  const own = camera.presence;
  const labels = Object.fromEntries(
    Object.entries(presence.labels).map(([label, rule]) => [
      label,
      {
        ...(rule.enter !== undefined && { enter: rule.enter }),
        ...(rule.stay !== undefined && { stay: rule.stay }),
        ...(rule.off_delay !== undefined && { offDelay: rule.off_delay }),
        ...(rule.min_frames !== undefined && { minFrames: rule.min_frames }),
      },
    ]),
  );
  return {
    enter: own.enter ?? presence.enter,
    stay: own.stay ?? presence.stay,
    offDelay: own.off_delay ?? presence.off_delay,
    minFrames: own.min_frames ?? presence.min_frames,
    labels,
    groups: presence.groups,
    ...(camera.labels !== 'all' && { keep: camera.labels }),
    resultInterval: Math.max(
      1 / Math.min(camera.fps, config.governor.min_fps),
      mode === 'still' ? camera.still_interval : 0,
      mode === 'stream' && camera.motion.enabled ? camera.motion.refresh : 0,
    ),
    // Single pictures, minutes apart: there is no next one that could confirm what this one shows.
    ...((camera.source === 'watch' || mode === 'still') && { window: 1, minFrames: 1 }),
    createId,
  };
}

/**
 * Names a camera's results are reduced to before anything else sees them, or null for all: the kept
 * labels, and the members of kept groups.
 */
function keptLabelsOf(config: Config, camera: CameraConfig): ReadonlySet<string> | null {
  if (camera.labels === 'all') return null;
  const kept = new Set(camera.labels);
  for (const name of camera.labels) {
    for (const member of config.presence.groups[name] ?? []) kept.add(member);
  }
  return kept;
}

/**
 * Score below which an object changes nothing, 0 to 1: presence looks at medians against `enter` and
 * `stay`, so a score under the least `stay` may as well be absent. Of one camera, or the least of all.
 */
function leastScoreOf(config: Config, camera?: CameraConfig): number {
  const { presence, model } = config;
  const cameras = camera === undefined ? Object.values(config.cameras) : [camera];
  const general = Math.min(...cameras.map((each) => each.presence.stay ?? presence.stay), 1);
  const stays = Object.values(presence.labels).map((rule) => rule.stay ?? general);
  const least = Math.min(cameras.length === 0 ? presence.stay : general, ...stays);
  return model.task === 'detect' ? Math.min(least, model.threshold) : least;
}

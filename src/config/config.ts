import type { ValueOf } from '../schema/section.js';
import type { SCHEMA } from './schema/schema.js';

/**
 * The configuration as the daemon sees it: every key is present, checked and frozen. Names are those
 * of the file (docs/configure.md); durations are seconds, temperatures °C, sizes pixels, paths
 * absolute. The schema declares, documents and checks the keys.
 *
 * User name and password are taken out of `mqtt.url` and stand in `mqtt.username` and
 * `mqtt.password`, whether they came from there, from the keys, from files or from systemd.
 */
export type Config = ValueOf<typeof SCHEMA>;

export type CameraConfig = Config['cameras'][string];
export type SourceKind = CameraConfig['source'];
export type MqttConfig = Config['mqtt'];
export type BoardName = Exclude<Config['board'], 'auto' | 'none'>;

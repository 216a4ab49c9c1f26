import type { LibcameraControls } from '../camera/sources/libcamera/controls.js';

/**
 * The configuration as the daemon sees it: every key is present, checked and frozen. Names are those
 * of the file (docs/configure.md); durations are seconds, temperatures °C, sizes pixels. The schema
 * that checks and documents them is schema.ts.
 */
export interface Config {
  /** Whose overlay lies under the files; what `auto` found is in the origins. */
  readonly board: 'auto' | 'none' | BoardName;
  /** Topic-safe name of this board. */
  readonly node: string;
  /** Absolute path. */
  readonly state_dir: string;
  /** Absolute path. */
  readonly models_dir: string;
  readonly model: ModelConfig;
  /** By camera name, in the order of the file. */
  readonly cameras: Readonly<Record<string, CameraConfig>>;
  readonly presence: PresenceConfig;
  readonly governor: GovernorConfig;
  readonly store: StoreConfig;
  readonly mqtt: MqttConfig;
  readonly homeassistant: HomeAssistantConfig;
  readonly status: StatusConfig;
  readonly control: ControlConfig;
  readonly diagnostics: DiagnosticsConfig;
  readonly log: LogConfig;
}

/** Boards with an overlay in `config/`. */
export const BOARD_NAMES = ['pi3', 'pi4', 'pi5'] as const;

export type BoardName = (typeof BOARD_NAMES)[number];

export interface ModelConfig {
  readonly task: 'detect' | 'classify';
  /** `auto` or the name of an installed model. */
  readonly name: string;
  readonly threads: 'auto' | number;
  readonly form: 'auto' | 'exact' | 'symmetric' | 'reduced' | 'float32';
  /** Least score of an object that a detector reports, 0 to 1. */
  readonly threshold: number;
  /** Labels a classifier reports for a frame. */
  readonly top: number;
}

export const SOURCE_KINDS = [
  'libcamera',
  'still',
  'v4l2',
  'rtsp',
  'mjpeg',
  'video',
  'files',
  'watch',
  'demo',
] as const;

export type SourceKind = (typeof SOURCE_KINDS)[number];

export type Point = readonly [x: number, y: number];

/** Settings of a libcamera camera, all of them there; null leaves one to the camera. */
export type CameraControls = Required<LibcameraControls>;

export interface CameraConfig {
  readonly enabled: boolean;
  readonly source: SourceKind;
  /** Of a libcamera camera: a stream, single pictures, or those only while the board is too hot. */
  readonly capture: 'stream' | 'still' | 'auto';
  /** Seconds from one still picture to the next. */
  readonly still_interval: number;
  readonly controls: CameraControls;
  /** Device of a v4l2 camera, e.g. `/dev/video0`. */
  readonly device: string | null;
  /** Address of an rtsp or mjpeg camera, or of a video. May carry a user name and password. */
  readonly url: string | null;
  /** ffmpeg's decoder. */
  readonly hardware: 'none' | 'auto' | 'drm' | 'v4l2m2m' | 'vaapi';
  /** Of an rtsp camera. */
  readonly transport: 'tcp' | 'udp';
  /** Of a v4l2 camera. */
  readonly input_format: 'auto' | 'mjpeg' | 'yuyv422' | 'h264';
  /** Absolute path of a video, of a picture or folder of pictures, or of a watched folder. */
  readonly path: string | null;
  /** Whether a video or a set of pictures begins again at its end. */
  readonly loop: boolean;
  readonly size: readonly [width: number, height: number];
  readonly fps: number;
  /** Degrees clockwise. */
  readonly rotation: 0 | 90 | 180 | 270;
  /** Part of the frame that is looked at, pixels. */
  readonly crop: readonly [x: number, y: number, width: number, height: number] | null;
  /** Polygons that are blacked out, pixels. */
  readonly mask: readonly (readonly Point[])[];
  readonly labels: 'all' | readonly string[];
  /** Thresholds of this camera; null takes the general one. */
  readonly presence: {
    readonly enter: number | null;
    readonly stay: number | null;
    readonly off_delay: number | null;
    readonly min_frames: number | null;
  };
  /** When it runs: spans such as `mon-fri 08:00-18:00`; empty: always. */
  readonly schedule: readonly string[];
  /** IANA name; null: the system's. */
  readonly time_zone: string | null;
  /** Size of a picture that is asked for; null takes a frame of the stream. */
  readonly snapshot_size: readonly [width: number, height: number] | null;
  readonly stall_timeout: number;
  readonly motion: {
    readonly enabled: boolean;
    /** 0 to 1: 1 sees the least change. */
    readonly sensitivity: number;
    /** Seconds. */
    readonly refresh: number;
  };
}

/** What one label may have of its own; a key that is absent has the general value. */
export interface LabelRule {
  readonly enter?: number;
  readonly stay?: number;
  readonly off_delay?: number;
  readonly min_frames?: number;
}

export interface PresenceConfig {
  readonly enter: number;
  readonly stay: number;
  readonly off_delay: number;
  readonly min_frames: number;
  readonly labels: Readonly<Record<string, LabelRule>>;
  /** Labels that count as one: group name → its members. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

export interface GovernorConfig {
  readonly enabled: 'auto' | boolean;
  /** `auto`, the type of a thermal zone, or the path of a file with milli-degrees. */
  readonly sensor: string;
  readonly limit: 'auto' | number;
  readonly margin: number;
  readonly floor_alpha: number;
  readonly floor_size: number;
  readonly min_fps: number;
  readonly prefer: 'accuracy' | 'fps';
  /** `auto` or the name of a variant. */
  readonly pin: string;
  readonly sysfs_root: string;
  readonly proc_root: string;
}

export interface StoreConfig {
  readonly commit_interval: number;
  readonly detection_interval: number;
  readonly retention: {
    readonly days: number;
    /** As written, e.g. `1GB`; {@link ./formats.js!parseSize} gives bytes. */
    readonly max_size: string | number;
  };
}

export interface TlsConfig {
  /** PEM files, absolute paths. */
  readonly ca_file: string | null;
  readonly cert_file: string | null;
  readonly key_file: string | null;
  readonly verify: boolean;
  /** Name in the broker's certificate; null: the host of the address. */
  readonly server_name: string | null;
  readonly min_version: 'TLSv1.2' | 'TLSv1.3';
  readonly alpn: readonly string[];
}

export interface MqttConfig {
  /** mqtt, mqtts, ws or wss; null starts the embedded broker. User name and password are taken out. */
  readonly url: string | null;
  readonly protocol: 'auto' | '3.1.1' | 5;
  /** Null: made from the node's name. */
  readonly client_id: string | null;
  /** Seconds. */
  readonly keepalive: number;
  /** Seconds an event is worth delivering. */
  readonly max_age: number;
  /** From `username`, the address, `username_file` or a systemd credential. */
  readonly username: string | null;
  readonly username_file: string | null;
  /** From `password`, the address, `password_file` or a systemd credential. */
  readonly password: string | null;
  readonly password_file: string | null;
  readonly base: string;
  readonly tls: TlsConfig;
  readonly embedded: {
    /** `host:port`; {@link ./formats.js!parseListen} takes it apart. */
    readonly listen: string;
    /** Password hashes by user name. */
    readonly users: Readonly<Record<string, string>>;
    readonly allow_anonymous: boolean;
  };
}

export interface HomeAssistantConfig {
  readonly enabled: boolean;
  readonly prefix: string;
  readonly labels: 'default' | readonly string[];
  /** Web page of this board. */
  readonly configuration_url: string | null;
  /** Absolute path. */
  readonly version_file: string | null;
}

export interface StatusConfig {
  /** `host:port`, or null for no page. */
  readonly listen: string | null;
}

export interface ControlConfig {
  readonly enabled: boolean;
  /** Absolute path; null for the usual place. */
  readonly socket: string | null;
}

export interface DiagnosticsConfig {
  /** Reports of crashes that are kept; 0 for none. */
  readonly crash_reports: number;
  /** Whether SIGUSR2 writes a heap snapshot. */
  readonly heap_snapshots: boolean;
}

export interface LogConfig {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly format: 'auto' | 'pretty' | 'json';
}

import { resolve } from 'node:path';
import { parseAddress, splitAddress } from '../../../address.js';
import { codedError } from '../../../errors.js';
import { holdsSecrets } from '../../../mask.js';

interface Address {
  readonly url: string;
  /** In place of those in the address. */
  readonly username?: string | null;
  readonly password?: string | null;
}

/** What ffmpeg opens. */
export type FfmpegInput =
  | { readonly kind: 'video'; readonly path: string; readonly loop: boolean }
  | (Address & {
      readonly kind: 'remote';
      readonly loop: boolean;
      readonly verify?: boolean;
      /** The address is one of our own on this machine, that ends with the program. */
      readonly isGateway?: boolean;
    })
  | (Address & { readonly kind: 'rtsp'; readonly transport?: RtspTransport })
  | {
      readonly kind: 'v4l2';
      readonly device: string;
      readonly inputFormat?: V4l2Format;
    };

export type RtspTransport = 'tcp' | 'udp';
export type V4l2Format = 'auto' | 'mjpeg' | 'yuyv422' | 'h264';
export type HardwareDecoding = 'none' | 'auto' | 'drm' | 'v4l2m2m' | 'vaapi';

/** What a stream may make ffmpeg open: a playlist must not reach files, nor a file the network. */
const PROTOCOLS: Readonly<Record<FfmpegInput['kind'], string>> = {
  video: 'file',
  remote: 'http,https,tcp,tls,crypto',
  rtsp: 'rtp,srtp,tcp,udp',
  v4l2: 'file',
};

/** Files with pictures in them, and no others: playlists (HLS, DASH, concat) would open more addresses. */
const CONTAINERS = 'mov,matroska,avi,mpegts,mpeg,flv,ogg,h264,hevc,mjpeg,asf,gif';

/** What ffmpeg may take the bytes for; a camera does not choose the format. */
const FORMATS: Readonly<Record<FfmpegInput['kind'], string>> = {
  video: CONTAINERS,
  remote: CONTAINERS,
  rtsp: 'rtsp,sdp,rtp',
  v4l2: 'v4l2',
};

/** Schemes over TLS need it, and the others must not come to it by a redirect. */
function protocolsOf(input: NetworkInput): string {
  const isPlain = /^(http|rtsp):/i.test(input.url);
  if (input.kind === 'rtsp') return isPlain ? PROTOCOLS.rtsp : `${PROTOCOLS.rtsp},tls`;
  return isPlain ? 'http,tcp' : 'https,tls,tcp';
}

/**
 * What ffmpeg reads from stdin: null for nothing. An address with a password would stand in its
 * arguments, which every user of the machine can see; so it goes in as a playlist of one entry
 * (ffmpeg's concat demuxer), with the same options.
 */
export function ffmpegStdin(input: FfmpegInput): string | null {
  if (!('url' in input) || !isSecret(input)) return null;
  const all = input.kind === 'rtsp' ? [...networkOptions(input), ...LIVE_OPTIONS] : [];
  const options = all.map(([name, value]) => `option ${name} ${value}`);
  // Between single quotes nothing else has a meaning.
  const file = `file '${addressOf(input).replaceAll("'", '%27')}'`;
  return ['ffconcat version 1.0', file, ...options, ''].join('\n');
}

type NetworkInput = Extract<FfmpegInput, { readonly url: string }>;

/**
 * Whether others must not see the address. A gateway's random path is none of the camera's secrets, and
 * behind a playlist ffmpeg would wait out each step of the time stamps in an MPEG-TS stream.
 */
function isSecret(input: NetworkInput): boolean {
  const isGateway = input.kind === 'remote' && input.isGateway === true;
  return !isGateway && holdsSecrets(addressOf(input));
}

/** Options of the stream itself. */
function networkOptions(input: NetworkInput): (readonly [string, string])[] {
  if (input.kind === 'remote') return [];
  const transport = input.transport === 'udp' ? 'udp' : 'tcp';
  return [['rtsp_transport', transport]];
}

/**
 * The first pictures of a live stream are shown as they come: they are not looked at for seconds
 * first (and then thrown away, as with `nobuffer`, up to the next key frame).
 */
const LIVE_OPTIONS = [
  ['probesize', '32'],
  ['fpsprobesize', '0'],
] as const;

/**
 * Live frames are stamped as they arrive: cameras' own clocks are set, wrap and stand still. Decoding
 * several frames at a time (instead of parts of one) would hold back as many of them.
 */
const LIVE_ARGUMENTS: readonly string[] = [
  ...LIVE_OPTIONS.flatMap(([name, value]) => [`-${name}`, value]),
  ...['-use_wallclock_as_timestamps', '1'],
  ...['-thread_type', 'slice'],
];

function networkArguments(input: NetworkInput): string[] {
  const formats = oneOf(FORMATS, input.kind, 'kind');
  const stamps = input.kind === 'rtsp' ? LIVE_ARGUMENTS : [];
  const address = addressOf(input);
  const protocols = protocolsOf(input);
  if (isSecret(input)) {
    return [
      ...stamps,
      ...['-protocol_whitelist', `pipe,${protocols}`, '-format_whitelist', `concat,${formats}`],
      ...['-f', 'concat', '-safe', '0', '-i', 'pipe:0'],
    ];
  }
  return [
    ...stamps,
    ...networkOptions(input).flatMap(([name, value]) => [`-${name}`, value]),
    ...['-protocol_whitelist', protocols, '-format_whitelist', formats],
    ...(input.kind === 'rtsp' ? ['-f', 'rtsp'] : []),
    ...['-i', address],
  ];
}

/** The address with the login in it, as ffmpeg wants it. */
function addressOf(input: NetworkInput): string {
  const { kind, url, username = null, password = null } = input;
  const checked = checkedUrl(url, kind === 'rtsp' ? ['rtsp:', 'rtsps:'] : ['http:', 'https:']);
  if (username === null && password === null) return checked;
  const { scheme = '', authority = '', rest = '' } = splitAddress(checked) ?? {};
  const at = authority.lastIndexOf('@');
  const [, givenName = '', givenPassword = ''] =
    /^([^:]*):?(.*)$/s.exec(authority.slice(0, Math.max(0, at))) ?? [];
  const name = username === null ? givenName : encodeURIComponent(username);
  const secret = password === null ? givenPassword : encodeURIComponent(password);
  return `${scheme}${name}:${secret}@${authority.slice(at + 1)}${rest}`;
}

/** What makes ffmpeg open the input, and nothing that a camera may name beside it. */
export function inputArguments(
  input: FfmpegInput,
  width: number,
  height: number,
  fps: number,
): string[] {
  const only = [
    ...['-protocol_whitelist', oneOf(PROTOCOLS, input.kind, 'kind')],
    ...['-format_whitelist', oneOf(FORMATS, input.kind, 'kind')],
  ];
  switch (input.kind) {
    case 'video':
      // -re paces the file at its own speed; file: keeps a name from being taken for a protocol.
      return [
        ...(input.loop ? ['-stream_loop', '-1'] : []),
        ...['-re', ...only, '-i', `file:${resolve(input.path)}`],
      ];
    case 'remote':
      return [...(input.loop ? ['-stream_loop', '-1'] : []), '-re', ...networkArguments(input)];
    case 'rtsp':
      return networkArguments(input);
    case 'v4l2':
      return [
        ...['-use_wallclock_as_timestamps', '1'],
        ...['-f', 'v4l2', '-framerate', String(fps), '-video_size', `${width}x${height}`],
        ...v4l2Format(input.inputFormat ?? 'auto'),
        ...['-i', checkedDevice(input.device)],
      ];
  }
}

const V4L2_FORMATS = {
  auto: [],
  mjpeg: ['-input_format', 'mjpeg'],
  yuyv422: ['-input_format', 'yuyv422'],
  h264: ['-input_format', 'h264'],
} as const;

function v4l2Format(format: keyof typeof V4L2_FORMATS): readonly string[] {
  return oneOf(V4L2_FORMATS, format, 'input_format');
}

/** Looks a configured word up in a table of all that is allowed. */
export function oneOf<T extends object>(table: T, key: keyof T, name: string): T[keyof T] {
  if (Object.hasOwn(table, key)) return table[key];
  throw codedError('MND_CONFIG_INVALID', {
    subject: name,
    expected: `one of ${Object.keys(table).join(', ')}`,
    found: JSON.stringify(key),
  });
}

function checkedUrl(url: string, protocols: readonly string[]): string {
  if (protocols.includes(parseAddress(url)?.url.protocol ?? '')) return url;
  throw codedError('MND_CONFIG_INVALID', {
    subject: 'url',
    expected: `an address that starts with ${protocols.map((name) => `${name}//`).join(' or ')}`,
  });
}

function checkedDevice(device: string): string {
  if (isDeviceName(device)) return device;
  throw codedError('MND_CONFIG_INVALID', {
    subject: 'device',
    expected: 'a device such as /dev/video0',
    found: JSON.stringify(device),
  });
}

/** Below /dev, as udev names it: ffmpeg is told that it is a device, so no name can mean another thing. */
export function isDeviceName(device: string): boolean {
  return /^\/dev\/[^\p{Cc}]+$/u.test(device) && !device.split('/').includes('..');
}

/** Least side that ffmpeg is asked for, pixels. */

/**
 * Every error a user can meet, by code. One table, so that documentation, exit codes and tests
 * have a single source. The summary names the class of problem; the message of a thrown error says
 * what was expected, what was found and what to do next.
 */
export const ERROR_TABLE = {
  MND_USAGE: { exit: 64, summary: 'the command line is not understood' },
  MND_CONFIG_INVALID: { exit: 78, summary: 'the configuration has problems' },
  MND_CONFIG_UNREADABLE: { exit: 78, summary: 'a configuration file cannot be read' },
  MND_INPUT_MISSING: { exit: 66, summary: 'an input file does not exist or cannot be read' },
  MND_IMAGE_INVALID: { exit: 1, summary: 'a picture cannot be decoded' },
  MND_FRAME_INVALID: { exit: 1, summary: 'a frame has the wrong size or format' },
  MND_LABELS_INVALID: { exit: 1, summary: 'a label file does not fit its model' },
  MND_MODEL_UNKNOWN: { exit: 64, summary: 'no model has this name' },
  MND_MODEL_MISSING: { exit: 69, summary: 'a model is not installed' },
  MND_MODEL_INVALID: { exit: 1, summary: 'a model file is damaged or not of a known kind' },
  MND_MODEL_TRUNCATED: { exit: 1, summary: 'a model file ends too early' },
  MND_MODEL_TOO_LARGE: { exit: 1, summary: 'a model file is larger than any supported model' },
  MND_MODEL_OPERATOR: { exit: 1, summary: 'a model uses an operator that cannot be converted' },
  MND_MODEL_SHAPE: { exit: 1, summary: 'a model has tensors of an unsupported shape or type' },
  MND_MODEL_MISMATCH: { exit: 1, summary: 'a model is not what its description says' },
  MND_MODEL_FORMAT: { exit: 1, summary: 'a file is no model that can be read' },
  MND_MODEL_QUESTION: { exit: 64, summary: 'a model does not say all that must be known of it' },
  MND_MODEL_CHECKSUM: { exit: 1, summary: 'a download does not have the expected checksum' },
  MND_MODEL_VERIFY: { exit: 1, summary: 'a converted model does not load or run' },
  MND_MODEL_UNWRITABLE: { exit: 1, summary: 'the folder of the models cannot be used' },
  MND_CATALOG_INVALID: { exit: 1, summary: 'the model catalogue is damaged' },
  MND_DOWNLOAD_FAILED: { exit: 69, summary: 'a download failed' },
  MND_ARCHIVE_INVALID: { exit: 1, summary: 'an archive is damaged or lacks the expected file' },
  MND_INFERENCE_FAILED: { exit: 1, summary: 'a model failed to run' },
  MND_INFERENCE_CLOSED: { exit: 1, summary: 'the inference worker has stopped' },
  MND_CAMERA_ENDED: { exit: 1, summary: 'a camera source has delivered its last frame' },
  MND_CAMERA_STOPPED: { exit: 1, summary: 'a camera source was asked to stop' },
  MND_CAMERA_FAILED: { exit: 69, summary: 'a camera source failed' },
  MND_CAMERA_STALLED: { exit: 69, summary: 'a camera source delivers no frames' },
  MND_CAMERA_MISSING: { exit: 69, summary: 'the program or device a camera needs is missing' },
  MND_STORE_OPEN: { exit: 1, summary: 'the database cannot be opened' },
  MND_STORE_ADDON: { exit: 69, summary: 'the database library does not fit this Node' },
  MND_STORE_CORRUPT: { exit: 1, summary: 'the database is damaged' },
  MND_STORE_NEWER: { exit: 1, summary: 'the database was written by a newer version' },
  MND_STORE_FAILED: { exit: 1, summary: 'the database cannot be written' },
  MND_STORE_LOST: {
    exit: 1,
    summary: 'the database was removed or replaced while it was in use',
  },
  MND_STATE_FORBIDDEN: { exit: 1, summary: 'the state folder belongs to another user' },
  MND_OUTPUT_FAILED: { exit: 1, summary: 'a result cannot be written' },
  MND_MQTT_PAYLOAD: { exit: 1, summary: 'an MQTT command has an invalid payload' },
  MND_MQTT_RATE: { exit: 1, summary: 'MQTT commands arrive too fast' },
  MND_MQTT_UNAVAILABLE: { exit: 69, summary: 'the MQTT broker cannot be reached' },
  MND_MQTT_REFUSED: { exit: 1, summary: 'the MQTT broker refuses a message' },
  MND_MQTT_HELD: { exit: 1, summary: 'the MQTT broker does not take a message for now' },
  MND_MQTT_LISTEN: { exit: 69, summary: 'the embedded MQTT broker cannot listen' },
  MND_MQTT_TOPIC: { exit: 78, summary: 'a name cannot be used in an MQTT topic' },
  MND_THERMAL_SENSOR: { exit: 1, summary: 'the temperature sensor cannot be read' },
  MND_SERVICE_FAILED: { exit: 1, summary: 'the systemd service cannot be set up' },
  MND_PLATFORM: { exit: 69, summary: 'this system cannot run the network' },
  MND_STATE_LOCKED: { exit: 69, summary: 'another daemon uses this state folder' },
  MND_CONTROL_UNAVAILABLE: { exit: 69, summary: 'no running daemon answers' },
  MND_CONTROL_LISTEN: { exit: 1, summary: 'the control socket cannot be made' },
  MND_SPOT_INVALID: { exit: 1, summary: 'a false alarm cannot be kept back' },
  MND_TEACH_INVALID: { exit: 64, summary: 'this cannot be taught' },
  MND_TEACH_BUSY: { exit: 69, summary: 'something is being taught already' },
  MND_TEACH_TAKEN: { exit: 1, summary: 'pictures were taken back while more were taken' },
  MND_TEACH_FULL: { exit: 1, summary: 'more pictures than are kept were taught' },
  MND_TEACH_DISK: { exit: 1, summary: 'the taught pictures cannot be used' },
  MND_CONTROL_REQUEST: { exit: 1, summary: 'the running daemon refuses a request' },
  MND_HTTP_LISTEN: { exit: 69, summary: 'the page cannot listen' },
  MND_HTTP_REQUEST: { exit: 1, summary: 'the page does not understand a request' },
  MND_HTTP_LOGIN: { exit: 1, summary: 'the page does not know who asks' },
  MND_HTTP_FORBIDDEN: { exit: 1, summary: 'the page does not let this visitor do that' },
  MND_HTTP_BUSY: { exit: 1, summary: 'the page has too much to do' },
  MND_BACKUP_FAILED: { exit: 1, summary: 'the database cannot be copied' },
  MND_INTERNAL: { exit: 1, summary: 'a defect in mobilenetd' },
} as const;

export type ErrorCode = keyof typeof ERROR_TABLE;

/** Whether text is a code of the table. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_TABLE, code);
}

/** What a coded error tells the user, each a sentence fragment without a full stop. */
export interface ErrorDetail {
  /** What was being done or looked at, e.g. a file name. Never a secret. */
  readonly subject?: string;
  readonly expected?: string;
  readonly found?: string;
  /** What the user can do next. */
  readonly next?: string;
  readonly cause?: unknown;
}

/** An error with a code from {@link ERROR_TABLE}; its message is complete and fit for users. */
export interface CodedError extends Error {
  readonly code: ErrorCode;
  /** Exit status of a command that ends with this error. */
  readonly exitCode: number;
  /** What the message was made of, so that the error can be made again in another thread. */
  readonly detail: ErrorDetail;
}

/** What to do about a model that is refused, where whoever refuses it knows nothing better. */
const USUAL_NEXT: Readonly<Partial<Record<ErrorCode, string>>> = {
  MND_MODEL_INVALID: 'fetch the file again, or export it anew',
  MND_MODEL_TRUNCATED: 'fetch it again',
  MND_MODEL_TOO_LARGE: 'take a smaller network',
  MND_MODEL_OPERATOR:
    'docs/models.md says which networks are taken; another export of this one, .onnx or .tflite, may be',
  MND_MODEL_SHAPE:
    'export it anew, for one picture at a time and with its scores or boxes alone as outputs',
};

class MobilenetdError extends Error implements CodedError {
  readonly code: ErrorCode;
  readonly exitCode: number;
  readonly detail: ErrorDetail;
  override readonly name = 'MobilenetdError';

  constructor(code: ErrorCode, given: ErrorDetail) {
    const next = given.next ?? USUAL_NEXT[code];
    const detail = next === undefined ? given : { ...given, next };
    super(formatMessage(code, detail), detail.cause === undefined ? {} : { cause: detail.cause });
    this.code = code;
    this.exitCode = ERROR_TABLE[code].exit;
    this.detail = detail;
  }
}

function formatMessage(code: ErrorCode, detail: ErrorDetail): string {
  const subject = detail.subject === undefined ? '' : `${detail.subject}: `;
  const parts = [`${subject}${ERROR_TABLE[code].summary}`];
  if (detail.expected !== undefined) parts.push(`expected ${detail.expected}`);
  if (detail.found !== undefined) parts.push(`found ${detail.found}`);
  if (detail.next !== undefined) parts.push(detail.next);
  return parts.join('; ');
}

/** What to do about a file or a socket that is for the user of a packaged service. */
export const ASK_AS_SERVICE = 'ask as the user of the service: sudo -u mobilenetd mobilenetd …';

/** Makes (does not throw) a coded error. */
export function codedError(code: ErrorCode, detail: ErrorDetail = {}): CodedError {
  return new MobilenetdError(code, detail);
}

/** Whether something thrown is an error of this program, with a code. */
export function isCodedError(value: unknown): value is CodedError {
  return value instanceof MobilenetdError;
}

/**
 * Why something is as it is, in few words: the message without the system's own names for what failed, and,
 * of a camera, without words that say no more than that it failed.
 */
export function reasonOf(value: unknown): string {
  if (!isCodedError(value)) return messageOf(value);
  const { subject, expected, found, next } = value.detail;
  const failed = value.code === 'MND_CAMERA_FAILED' && found !== undefined;
  const detail = { subject, expected, found: found?.replace(SYSTEM_CALL, '$1'), next };
  if (!failed) return formatMessage(value.code, detail);
  return [detail.found, next].filter((part) => part !== undefined).join('; ');
}

/** E.g. `ENOENT: no such file or directory, open '/x'`, as Node words it. */
const SYSTEM_CALL = /^E[A-Z]+: (.+?), [a-z]+(?: '.*')?$/;

/** The message of anything that was thrown. */
export function messageOf(value: unknown): string {
  return value instanceof Error ? value.message : String(value);
}

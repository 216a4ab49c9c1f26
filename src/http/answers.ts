import { type ErrorCode, isCodedError } from '../errors.js';

type Status = 400 | 401 | 403 | 404 | 409 | 429 | 500 | 503;

/** Statuses of errors that are not this program's fault. */
const STATUSES: { readonly [Code in ErrorCode]?: Status } = {
  MND_HTTP_REQUEST: 400,
  MND_CONFIG_INVALID: 400,
  MND_CONFIG_UNREADABLE: 400,
  MND_MQTT_PAYLOAD: 400,
  MND_MODEL_UNKNOWN: 400,
  MND_HTTP_LOGIN: 401,
  MND_HTTP_FORBIDDEN: 403,
  MND_INPUT_MISSING: 404,
  MND_CONTROL_REQUEST: 409,
  MND_SPOT_INVALID: 409,
  MND_TEACH_INVALID: 400,
  MND_TEACH_BUSY: 409,
  MND_TEACH_FULL: 409,
  MND_TEACH_TAKEN: 409,
  MND_TEACH_DISK: 503,
  MND_HTTP_BUSY: 429,
  MND_CAMERA_FAILED: 503,
  MND_CAMERA_STOPPED: 503,
  MND_STORE_FAILED: 503,
};

/** HTTP status of an error's answer. */
export function statusOf(code: ErrorCode): Status {
  return STATUSES[code] ?? 500;
}

/** What an answer says of something thrown: a coded error whole, of a defect nothing but that it is one. */
export function shownError(error: unknown): {
  readonly status: Status;
  readonly body: { readonly code: string; readonly message: string };
} {
  if (isCodedError(error)) {
    return { status: statusOf(error.code), body: { code: error.code, message: error.message } };
  }
  const message = 'a defect in mobilenetd; the log has more';
  return { status: 500, body: { code: 'MND_INTERNAL', message } };
}

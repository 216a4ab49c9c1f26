/** One thing that was looked at. `info` is neither good nor bad: a device nobody has configured. */
export interface CameraFinding {
  /** What was looked at: `libcamera`, `/dev/video0`, `camera front`. */
  readonly subject: string;
  readonly level: 'ok' | 'info' | 'warn' | 'fail';
  /** What was found, one sentence without a full stop. */
  readonly found: string;
  /** What to do about it; null when there is nothing to do. */
  readonly next: string | null;
}

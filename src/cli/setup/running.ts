import type { Config } from '../../config/config.js';
import { askDaemon } from '../../control/client.js';
import type { StatusReport } from '../../control/report.js';
import type { PictureFolder } from './camera-look.js';
import type { CameraLook, FoundCamera } from './step.js';

const ASK_MS = 2000;
const PICTURE_MS = 15_000;

/** What the daemon says that runs; null where none answers. */
export async function statusOf(sockets: readonly string[]): Promise<StatusReport | null> {
  const answer = await askDaemon({ verb: 'status' }, { sockets, timeout: ASK_MS }).catch(
    () => null,
  );
  return answer as StatusReport | null;
}

/** The name under which the running daemon has a camera, so that nobody else can open it; else null. */
export function heldBy(
  settings: FoundCamera['settings'],
  { running }: StatusReport,
  configured: Config['cameras'],
): string | null {
  const online = (running?.cameras ?? []).filter(({ status }) => status === 'online');
  for (const { name } of online) {
    const camera = configured[name];
    if (camera === undefined ? isFound(settings, running?.found ?? []) : isSame(camera, settings)) {
      return name;
    }
  }
  return null;
}

/** A camera that the daemon has found by itself stands in no file, but in what it says. */
function isFound({ source, device }: FoundCamera['settings'], found: readonly string[]): boolean {
  const place = source === 'v4l2' ? `(v4l2, ${String(device)})` : `(${String(source)})`;
  return found.some((text) => text.includes(place));
}

function isSame(camera: Config['cameras'][string], settings: FoundCamera['settings']): boolean {
  if (camera.source !== settings.source) return false;
  return (
    camera.source === 'libcamera' || (camera.device !== null && camera.device === settings.device)
  );
}

/** A picture from the page of the daemon that has the camera, where the page asks for no login. */
export async function lookThroughDaemon(
  name: string,
  { running }: StatusReport,
  pictures: PictureFolder,
  signal: AbortSignal,
): Promise<CameraLook> {
  const page = running?.page ?? null;
  const held = { delivers: true, next: null, found: `the running daemon has it, as ${name}` };
  if (page === null) return { ...held, picture: null };
  try {
    const url = new URL(`api/v1/cameras/${encodeURIComponent(name)}/frame.jpg`, page);
    const until = AbortSignal.any([signal, AbortSignal.timeout(PICTURE_MS)]);
    const answer = await fetch(url, { signal: until });
    if (answer.status !== 200) return { ...held, picture: null };
    return { ...held, picture: pictures.keep(new Uint8Array(await answer.arrayBuffer())) };
  } catch {
    return { ...held, picture: null };
  }
}

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Where the pictures of events are in a state folder: `<event id>.jpg`, `<event id>.thumb.jpg`, … */
export function pictureFolder(stateDir: string): string {
  return join(stateDir, 'pictures');
}

/** Paths of the pictures of events, by event id; events without one are left out. */
export function picturesOf(
  stateDir: string,
  eventIds: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> {
  const folder = pictureFolder(stateDir);
  const found = new Map<string, string[]>();
  for (const name of namesIn(folder)) {
    const id = name.slice(0, name.indexOf('.'));
    if (!eventIds.has(id)) continue;
    found.set(id, [...(found.get(id) ?? []), join(folder, name)]);
  }
  return found;
}

/** Removes the pictures of events; returns how many files that were. */
export function removePictures(stateDir: string, eventIds: ReadonlySet<string>): number {
  const files = [...picturesOf(stateDir, eventIds).values()].flat();
  for (const file of files) rmSync(file, { force: true });
  return files.length;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.includes('.'));
  } catch {
    return [];
  }
}

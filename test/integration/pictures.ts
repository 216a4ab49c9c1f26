import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The folder a variable names, else the default; null when it does not exist. */
function folderOf(variable: string, standard: string): string | null {
  const folder = process.env[variable] ?? standard;
  return existsSync(folder) ? folder : null;
}

/** Where model files are for tests; null: tests that need them skip. */
export const modelMirror = folderOf('MOBILENETD_MODELS_MIRROR', '../shared/models');

const pictureFolder = folderOf('MOBILENETD_TEST_IMAGES', '../shared/images');

export interface LabelledPicture {
  readonly file: string;
  /** What it shows, as ImageNet names it. */
  readonly label: string;
}

/** Pictures named `<wnid>_<label>.JPEG`, by name; none when there is no folder of them. */
export async function labelledPictures(): Promise<LabelledPicture[]> {
  if (pictureFolder === null) return [];
  const names = (await readdir(pictureFolder)).filter((name) => name.endsWith('.JPEG')).sort();
  return names.map((name) => ({
    file: join(pictureFolder, name),
    label: name.slice(name.indexOf('_') + 1, -'.JPEG'.length).replaceAll('_', ' '),
  }));
}

// Puts what people read into the package, in the folders that it has in the repository, so that its links resolve.
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';

const DOCUMENTS = 'usr/share/doc/mobilenetd';
/** What is in the repository only: it is of the source. */
const OF_THE_SOURCE = ['docs/architecture.md'];

/** @param program folder of the installed program below `tree`, which has config and models */
export function stageDocuments({ root, tree, program }) {
  const folder = join(tree, DOCUMENTS);
  mkdirSync(folder, { recursive: true });
  const left = OF_THE_SOURCE.map((file) => join(root, file));
  for (const name of ['docs', 'examples', 'README.md', 'CHANGELOG.md', 'NOTICE']) {
    cpSync(join(root, name), join(folder, name), {
      recursive: true,
      filter: (path) => !left.includes(path),
    });
  }
  for (const name of ['config', 'models']) {
    symlinkSync(join(relative(DOCUMENTS, program), name), join(folder, name));
  }
  return folder;
}

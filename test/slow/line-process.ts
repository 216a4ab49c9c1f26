import { setTimeout as delay } from 'node:timers/promises';
import { openLine } from './picture-line.js';

/* A process that sees something new all the time, until it is killed: FOLDER URL CAMERA... */

const [folder = '', url = '', ...cameras] = process.argv.slice(2);
const line = await openLine({ folder, url, cameras, patienceMs: 1500 });
for (let number = 0; ; number = (number + 1) % 2000) {
  for (const camera of cameras) line.show(camera, number);
  await delay(50);
}

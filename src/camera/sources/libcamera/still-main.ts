import nodeLibcamera from 'node-libcamera';
import { messageOf } from '../../../errors.js';

/*
 * Takes one picture with node-libcamera, in a process of its own: its `exec` cannot be stopped, so
 * that the whole process group is ended instead, and its PATH is chosen by the caller. The options
 * come as arguments, each `name=value` or `name`; they become keys, since values in keys of the form
 * `name=value` reach the program as one word. They were checked by `pictureOptions`.
 */

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // They are meant for the program, which gets them, too; this process ends when that has ended.
  process.on(signal, () => {});
}

const options = Object.fromEntries(process.argv.slice(2).map((option) => [option, true]));

try {
  await nodeLibcamera.still(options);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}

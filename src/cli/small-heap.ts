import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 collect earlier and compile less ahead, in every thread of this process. NODE_OPTIONS does not
 * take the flag, so whoever started the program does not matter. Of 205 MB of the daemon 18 go with it; what
 * it does all day, inference and the conversion of pixels, is not JavaScript's work.
 */
export function preferSmallHeap(): void {
  setFlagsFromString('--optimize-for-size');
  // A compiler less between the interpreter and the optimizing one, whose code is in memory then.
  setFlagsFromString('--no-maglev');
}

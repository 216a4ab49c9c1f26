import { writeFileSync } from 'node:fs';
import type { ErrorCode } from '../../errors.js';
import { toWire } from '../../inference/protocol.js';
import type { ChildAnswer } from './child.js';

/**
 * The child's side of runChild: waits for the one request, answers it and ends.
 *
 * @param code of an error that has none of its own
 */
export function answerParent<Request, Answer>(
  code: ErrorCode,
  work: (request: Request) => Promise<Answer>,
): void {
  offerForSacrifice();
  process.once('message', async (message: { readonly request: Request }) => {
    let answer: ChildAnswer<Answer>;
    try {
      answer = { ok: true, value: await work(message.request) };
    } catch (error) {
      answer = { ok: false, error: toWire(error, code) };
    }
    process.send?.(answer, () => process.exit(0));
  });
  // Without a parent there is nobody to work for.
  process.once('disconnect', () => process.exit(1));
}

/** Should a hostile model take all memory, Linux shall end this process rather than the daemon. */
function offerForSacrifice(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Not on Linux, or not allowed: then the kernel chooses.
  }
}

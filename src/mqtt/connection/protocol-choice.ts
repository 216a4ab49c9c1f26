import { codeOf } from './reason-codes.js';

/** 4 is MQTT 3.1.1, 5 is MQTT 5. */
export type ProtocolVersion = 4 | 5;

/** CONNACK code 1 of MQTT 3.1.1 and reason code 132 of MQTT 5: unsupported protocol version. */
const UNSUPPORTED = new Set<unknown>([1, 132]);
/** How a broker that does not know MQTT 5 may end the connection instead of answering. */
const WORDLESS = new Set<unknown>(['ECONNRESET', 'EPIPE']);

/**
 * Which version of MQTT the next attempt speaks. `auto` begins with 5 and goes over to 3.1.1 when the
 * broker says that it does not know 5, or hangs up without an answer; then it tries both in turn until
 * one has worked. A version that has worked stays, unless the broker refuses it.
 */
export function createProtocolChoice(wanted: 'auto' | ProtocolVersion): {
  current(): ProtocolVersion;
  connected(): void;
  /** True when another version is worth an attempt at once, without a word to the user. */
  failed(reason: unknown): boolean;
} {
  let current: ProtocolVersion = wanted === 'auto' ? 5 : wanted;
  let proven = wanted !== 'auto';

  function failed(reason: unknown): boolean {
    if (wanted === 'auto' && UNSUPPORTED.has(codeOf(reason))) {
      const first = current === 5;
      current = first ? 4 : 5;
      proven = false;
      return first;
    }
    if (!proven && isWordless(reason)) current = current === 5 ? 4 : 5;
    return false;
  }

  return {
    current: () => current,
    connected() {
      proven = true;
    },
    failed,
  };
}

/** A connection that was closed, or answered with something that is not MQTT 5. */
function isWordless(reason: unknown): boolean {
  const code = codeOf(reason);
  return code === undefined || WORDLESS.has(code);
}

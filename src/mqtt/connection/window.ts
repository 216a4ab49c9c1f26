/** More would mean that somebody publishes without waiting for answers. */
const MAX_WAITING = 512;

/** Room for messages that wait for the broker's acknowledgement. */
export interface Window {
  /** Calls `send` now or when there is room; false if too many wait already. */
  enter(send: () => void): boolean;
  leave(): void;
  /** Makes it larger while it is in use. */
  widen(size: number): void;
  /** Empties the window for a new connection. What waited is forgotten. */
  reset(size: number): void;
}

/**
 * Counts messages that the broker has not acknowledged yet and makes further ones wait, in order: an
 * MQTT 5 broker disconnects a client that exceeds its Receive Maximum, and any broker is slow at times.
 */
export function createWindow(size: number): Window {
  let room = size;
  let current = size;
  let waiting: (() => void)[] = [];

  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) room++;
    else next();
  }

  return {
    enter(send) {
      if (room > 0) {
        room--;
        send();
        return true;
      }
      if (waiting.length >= MAX_WAITING) return false;
      waiting.push(send);
      return true;
    },
    leave,
    widen(next) {
      const more = next - current;
      current = Math.max(next, current);
      for (let i = 0; i < more; i++) leave();
    },
    reset(next) {
      room = next;
      current = next;
      waiting = [];
    },
  };
}

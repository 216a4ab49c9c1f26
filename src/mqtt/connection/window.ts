/** More would mean that somebody publishes without waiting for answers. */
const MAX_WAITING = 512;

/**
 * Counts messages that the broker has not acknowledged yet and makes further ones wait, in order: an
 * MQTT 5 broker disconnects a client that exceeds its Receive Maximum, and any broker is slow at times.
 */
export function createWindow(size: number): {
  /** Calls `send` now or when there is room; false if too many wait already. */
  enter(send: () => void): boolean;
  leave(): void;
  /** Empties the window for a new connection. What waited is forgotten. */
  reset(size: number): void;
} {
  let room = size;
  let waiting: (() => void)[] = [];
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
    leave() {
      const next = waiting.shift();
      if (next === undefined) room++;
      else next();
    },
    reset(next) {
      room = next;
      waiting = [];
    },
  };
}

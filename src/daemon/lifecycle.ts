/** What has been started, to be stopped in the reverse order. */
export interface Lifecycle {
  /** Notes how to stop what has just been started. */
  started(name: string, stop: () => void | Promise<void>): void;
  /**
   * Stops everything, the newest first. A part that fails or takes longer than its share of the
   * deadline is reported and left behind, so that the rest is stopped in any case. Safe to call
   * twice; never rejects.
   */
  stop(deadlineMs: number): Promise<void>;
}

export interface LifecycleOptions {
  readonly onError: (part: string, error: unknown) => void;
  readonly now?: () => number;
}

export function createLifecycle(options: LifecycleOptions): Lifecycle {
  const now = options.now ?? (() => performance.now());
  const parts: { readonly name: string; readonly stop: () => void | Promise<void> }[] = [];
  let stopping: Promise<void> | null = null;

  async function stopAll(deadline: number): Promise<void> {
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      // Those that are left keep at least half of what remains: one slow part cannot take it all.
      const remaining = Math.max(0, deadline - now());
      const share = parts.length === 0 ? remaining : remaining / 2;
      try {
        await within(share, part.stop());
      } catch (error) {
        options.onError(part.name, error);
      }
    }
  }

  return {
    started(name, stop) {
      parts.push({ name, stop });
    },
    stop(deadlineMs) {
      stopping ??= stopAll(now() + deadlineMs);
      return stopping;
    },
  };
}

async function within(ms: number, work: void | Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${Math.round(ms)} ms`)), ms);
  });
  try {
    await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}

import { useEffect, useState } from 'preact/hooks';
import { get, isHidden } from './api.js';

export type Loaded<T> =
  | { readonly value: T; readonly error: null; readonly reload: () => void }
  | { readonly value: T | null; readonly error: string | null; readonly reload: () => void };

/**
 * An answer of the API, asked again every `everyMs` while the tab can be seen (0: once). The last good
 * answer stays while a later one fails.
 */
export function useAnswer<T>(path: string, everyMs = 0): Loaded<T> {
  const [value, setValue] = useState<T | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [round, setRound] = useState(0);
  const hidden = isHidden.value;
  useEffect(() => {
    if (hidden) return undefined;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      try {
        setValue(await get<T>(path, stop.signal));
        setError(null);
      } catch (cause) {
        if (!stop.signal.aborted) setError(cause instanceof Error ? cause.message : String(cause));
      }
      if (everyMs > 0 && !stop.signal.aborted) timer = setTimeout(() => void ask(), everyMs);
    };
    void ask();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [path, everyMs, round, hidden]);
  return { value, error, reload: () => setRound((now) => now + 1) };
}

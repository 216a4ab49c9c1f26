import { useEffect, useRef, useState } from 'preact/hooks';
import { post } from './api.js';
import type { Recording, Taught } from './types.js';
import { WORDS } from './words.js';

/** What is recorded while the button is held. */
export interface HoldOrder {
  readonly label: string;
  readonly camera: string;
  readonly zone: string | null;
  readonly not: boolean;
}

/** What holds the button: a key, or one of the fingers by its id. */
type Holder = number | 'key';

interface Press {
  readonly number: number;
  readonly by: Holder;
  readonly begun: Promise<Recording>;
}

/** Of the newest press alone. */
interface Shown {
  readonly isHeld: boolean;
  /** As it was told last; null: the daemon has not answered yet, or there is none. */
  readonly recording: Recording | null;
  readonly problem: string | null;
}

export interface Holding extends Shown {
  readonly begin: (order: HoldOrder, by: Holder) => void;
  /** Lets go; of another holder than the one that began, nothing. Without one, whoever holds. */
  readonly end: (by?: Holder) => void;
}

const LONGEST_S = 60;
/** Answers that lack a recording: the first may have been on its way when that began. */
const GONE_AFTER = 2;

/**
 * Recordings that last as long as something is held. Answers come in any order, and the next press may come
 * before the end of the last is answered: only the newest press is shown, and each is ended by its own id.
 *
 * @param taught what the daemon says, asked again and again
 * @param onEnd pictures may have come
 */
export function useHolding(taught: Taught, onEnd: () => void): Holding {
  const presses = useRef(0);
  const held = useRef<Press | null>(null);
  const [shown, setShown] = useState<Shown>({ isHeld: false, recording: null, problem: null });
  const show = (number: number, part: Partial<Shown>) => {
    if (number === presses.current) setShown((now) => ({ ...now, ...part }));
  };
  const begin = (order: HoldOrder, by: Holder) => {
    if (held.current !== null) return;
    presses.current += 1;
    const number = presses.current;
    const begun = post('teach/record', { ...order, seconds: LONGEST_S }).then(
      (answer) => answer as unknown as Recording,
    );
    held.current = { number, by, begun };
    setShown({ isHeld: true, recording: null, problem: null });
    begun.then(
      (recording) => show(number, { recording }),
      (error: Error) => {
        if (held.current?.number === number) held.current = null;
        show(number, { isHeld: false, problem: error.message });
      },
    );
  };
  const end = (by?: Holder) => {
    const press = held.current;
    if (press === null || (by !== undefined && by !== press.by)) return;
    held.current = null;
    show(press.number, { isHeld: false });
    press.begun
      .then(({ id }) => post('teach/end', { id }))
      .then(
        (answer) => show(press.number, { recording: answer as unknown as Recording }),
        (error: Error) => show(press.number, { recording: null, problem: error.message }),
      )
      .finally(onEnd);
  };
  // Who goes to another view has let go.
  useEffect(() => () => end(), []);
  const recording = useNewest(shown.recording, taught);
  return { ...shown, recording, begin, end };
}

/** A recording as it is now; one that the daemon does not know any more has ended. */
function useNewest(told: Recording | null, taught: Taught): Recording | null {
  const missing = useRef({ id: '', times: 0 });
  const [gone, setGone] = useState('');
  const id = told?.state === 'recording' ? told.id : null;
  const live = taught.recordings.find((each) => each.id === id);
  useEffect(() => {
    if (id === null || live !== undefined) return;
    const times = missing.current.id === id ? missing.current.times + 1 : 1;
    missing.current = { id, times };
    if (times >= GONE_AFTER) setGone(id);
  }, [taught, id]);
  // What its end was answered with is newer than what was asked before.
  if (told === null || id === null) return told;
  if (gone === id) return { ...told, state: 'failed', error: WORDS.teach.gone };
  return live ?? told;
}

import { useState } from 'preact/hooks';
import { mayChange, post, state } from '../api.js';
import { useAnswer } from '../load.js';
import type { EventRow, Spot } from '../types.js';
import { sentence, WORDS } from '../words.js';

/** Calls an event a false alarm, and takes that back. What has no box has no place to keep back. */
export function Wrong({ event }: { readonly event: EventRow }) {
  const { value, reload } = useAnswer<readonly Spot[]>('spots');
  const [problem, setProblem] = useState<string | null>(null);
  if (event.box === null || value === null) return null;
  const spot = value.find((each) => each.event === event.id);
  const ask = (path: string) => {
    setProblem(null);
    post(path).then(reload, (error: Error) => setProblem(error.message));
  };
  return (
    <div class="row">
      {spot === undefined ? (
        <button
          type="button"
          class="quiet"
          title={WORDS.events.wrongHelp}
          onClick={() => ask(`events/${encodeURIComponent(event.id)}/wrong`)}
        >
          {WORDS.events.wrong}
        </button>
      ) : (
        <>
          <span role="status">{WORDS.events.isWrong}</span>
          <button type="button" class="quiet" onClick={() => ask(undoOf(spot))}>
            {WORDS.events.undo}
          </button>
        </>
      )}
      {problem !== null && (
        <p class="problem" role="alert">
          {sentence(problem)}
        </p>
      )}
    </div>
  );
}

/** All that is kept back; nothing where nothing is. */
export function Spots() {
  const { value, reload } = useAnswer<readonly Spot[]>('spots', 30_000);
  if (value === null || value.length === 0) return null;
  const titleOf = (camera: string) =>
    state.value?.cameras.find(({ name }) => name === camera)?.title ?? camera;
  return (
    <section class="card card-body wide">
      <h2>{WORDS.system.spots}</h2>
      <ul class="spots">
        {value.map((spot) => (
          <li key={spot.id} class="row">
            <a href={`#/events/${encodeURIComponent(spot.event)}`}>
              {WORDS.system.spot(spot.label, titleOf(spot.camera))}
            </a>
            <span class="muted">{WORDS.system.keptBack(spot.held)}</span>
            {mayChange() && (
              <button
                type="button"
                class="quiet"
                onClick={() => void post(undoOf(spot)).then(reload)}
              >
                {WORDS.events.undo}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function undoOf({ id }: Spot): string {
  return `spots/${encodeURIComponent(id)}/undo`;
}

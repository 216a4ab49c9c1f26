import type { Camera, State } from '../types.js';
import { sentence, timeOf, WORDS } from '../words.js';

/** What the daemon found by itself, what was set by hand, and what others do not take. */
export function Notes({ state }: { readonly state: State }) {
  const notes = notesOf(state);
  if (notes.length === 0) return null;
  return (
    <>
      <h3>{WORDS.system.notes}</h3>
      <ul class="notes">
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </>
  );
}

function notesOf({ notify, broker, found, overrides }: State): readonly string[] {
  const words = WORDS.system;
  const { held, left_out: leftOut, limits } = broker.delivery;
  return [
    ...notify.flatMap(({ rule, channel, error }) =>
      error === null ? [] : [words.failing(rule, channel, error)],
    ),
    ...[...held, ...leftOut].map(({ topic, reason }) => words.held(topic, reason)),
    ...limits,
    ...found,
    ...overrides.map(({ key, value, configured }) => words.override(key, value, configured)),
  ].map(sentence);
}

/** What the source of a camera refused or found odd. */
export function Notices({ camera: { notices } }: { readonly camera: Camera }) {
  if (notices.length === 0) return null;
  return (
    <ul class="notes warn">
      {notices.map(({ kind, count, last, message }) => (
        <li key={kind}>
          {sentence(message)} <span class="muted">{WORDS.camera.times(count, timeOf(last))}</span>
        </li>
      ))}
    </ul>
  );
}

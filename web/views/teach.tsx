import { useEffect, useState } from 'preact/hooks';
import { mayChange, post, state } from '../api.js';
import { useKept } from '../draft.js';
import { type Holding, type HoldOrder, useHolding } from '../hold.js';
import { useAnswer } from '../load.js';
import type { Area, Camera, Recording, Taught, TaughtTask } from '../types.js';
import { WORDS } from '../words.js';
import { Overlay, useLivePicture } from './picture.js';

/** A camera that shows nothing for so long is said, s. */
const IDLE_S = 4;

/** What was taught, and how well it is told; whoever may change things can teach more. */
export function Teach() {
  const [isRecording, setRecording] = useState(false);
  const { value, reload } = useAnswer<Taught>('teach', isRecording ? 700 : 5000);
  const words = WORDS.teach;
  if (value === null || (value.tasks.length === 0 && !mayChange())) return null;
  return (
    <section class="card card-body wide">
      <h2>{words.title}</h2>
      {mayChange() && <p class="muted">{words.text}</p>}
      {mayChange() && <Teacher taught={value} onChange={reload} onRecord={setRecording} />}
      {value.error !== null && <p class="problem">{words.unread(value.error)}</p>}
      {value.tasks.map((task) => (
        <Task key={task.task} task={task} />
      ))}
      {value.unusable.map(({ label, task, why }) => (
        <p key={`${task} ${label}`} class="problem">
          {words.unusable(label, why)}
        </p>
      ))}
      {mayChange() && <Undo onChange={reload} />}
    </section>
  );
}

interface TeacherProps {
  readonly taught: Taught;
  readonly onChange: () => void;
  readonly onRecord: (isRecording: boolean) => void;
}

/** Camera, place, name, and a button that records while it is held. */
function Teacher({ taught, onChange, onRecord }: TeacherProps) {
  const words = WORDS.teach;
  const cameras = state.value?.cameras ?? [];
  const [wanted, setWanted] = useKept('taught camera', '');
  const [zone, setZone] = useKept('taught zone', '');
  const [label, setLabel] = useKept('taught label', '');
  const [not, setNot] = useKept('taught opposite', false);
  const holding = useHolding(taught, onChange);
  const { recording } = holding;
  const isBusy = recording?.state === 'recording';
  useEffect(() => onRecord(isBusy), [isBusy]);
  const camera = cameras.find(({ name }) => name === wanted) ?? cameras[0];
  if (camera === undefined) return null;
  const zones = camera.areas.filter(({ kind }) => kind === 'zone');
  const place = zones.some(({ name }) => name === zone) ? zone : null;
  const order = { label: label.trim(), camera: camera.name, zone: place, not };
  return (
    <div>
      <div class="filters">
        <label>
          {WORDS.events.camera}
          <select value={camera.name} onChange={(event) => setWanted(event.currentTarget.value)}>
            {cameras.map(({ name, title }) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </select>
        </label>
        {zones.length > 0 && (
          <label>
            {words.place}
            <select value={place ?? ''} onChange={(event) => setZone(event.currentTarget.value)}>
              <option value="">{words.whole}</option>
              {zones.map(({ name, title }) => (
                <option key={name} value={name}>
                  {title}
                </option>
              ))}
            </select>
          </label>
        )}
        <label>
          {words.label}
          <input
            value={label}
            maxLength={60}
            placeholder={words.example}
            onInput={(event) => setLabel(event.currentTarget.value)}
          />
        </label>
        <div class="segments" role="group" aria-label={words.shows}>
          {[false, true].map((each) => (
            <button
              key={String(each)}
              type="button"
              aria-pressed={not === each}
              onClick={() => setNot(each)}
            >
              {each ? words.without : words.with}
            </button>
          ))}
        </div>
      </div>
      <div class="teach-work">
        <Live camera={camera} zone={zones.find(({ name }) => name === place)} />
        <div>
          <Hold order={order} holding={holding} />
          <Progress recording={recording} />
          {isBusy && <Worth recording={recording} />}
        </div>
      </div>
    </div>
  );
}

/** What all pictures are worth so far, while more are added. */
function Worth({ recording: { figures, advice } }: { readonly recording: Recording }) {
  const words = WORDS.teach;
  const told = (figures?.labels ?? []).filter(({ recall }) => recall !== null);
  return (
    <div class="teach-worth">
      {told.length > 0 && (
        <p>
          {words.sofar}{' '}
          {told.map(({ label, recall }) => `${label} ${words.recall(recall ?? 0)}`).join('; ')}
        </p>
      )}
      {advice.map((each) => (
        <Next key={each.text} advice={each} />
      ))}
    </div>
  );
}

function Next({ advice: { code, text } }: { readonly advice: TaughtTask['advice'][number] }) {
  return <p class={code === 'good' ? 'good' : undefined}>{code === 'good' ? text : `→ ${text}`}</p>;
}

function Live({ camera, zone }: { readonly camera: Camera; readonly zone: Area | undefined }) {
  const { status } = camera;
  const frame = useLivePicture(camera.name, status === 'online');
  const size = camera.size ?? (frame === null ? null : ([frame.width, frame.height] as const));
  const [width, height] = size ?? [4, 3];
  // Its room is kept from the first: what is below must not move from under a finger.
  return (
    <div class="teach-live" style={{ aspectRatio: `${width} / ${height}` }}>
      {frame === null ? (
        <p class="muted">{status === 'online' ? WORDS.loading : WORDS.camera.absent[status]}</p>
      ) : (
        <img src={frame.url} alt={camera.title} />
      )}
      {frame !== null && size !== null && zone !== undefined && (
        <Overlay size={size} labels={[]} areas={[zone]} />
      )}
    </div>
  );
}

interface HoldProps {
  readonly order: HoldOrder;
  readonly holding: Holding;
}

/** Records while it is held, by finger, mouse or key; at most a minute, whatever becomes of this page. */
function Hold({ order, holding: { isHeld, recording, problem, begin, end } }: HoldProps) {
  const words = WORDS.teach;
  const isOver = recording !== null && recording.state !== 'recording';
  const isKey = ({ key }: KeyboardEvent) => key === ' ' || key === 'Enter';
  const text = recording === null ? words.opening : words.held[recording.state];
  return (
    <>
      <button
        type="button"
        class="button hold"
        aria-pressed={isHeld && !isOver}
        disabled={order.label === '' && !isHeld}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          // What moves the button away from under the finger does not let it go.
          event.currentTarget.setPointerCapture(event.pointerId);
          begin(order, event.pointerId);
        }}
        onPointerUp={(event) => end(event.pointerId)}
        onPointerCancel={(event) => end(event.pointerId)}
        onLostPointerCapture={(event) => end(event.pointerId)}
        onKeyDown={(event) => isKey(event) && !event.repeat && begin(order, 'key')}
        onKeyUp={(event) => isKey(event) && end('key')}
        onBlur={() => end()}
        onContextMenu={(event) => event.preventDefault()}
      >
        {isHeld ? text : words.hold}
      </button>
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}

/** What becomes of the pictures now. */
function Progress({ recording }: { readonly recording: Recording | null }) {
  const words = WORDS.teach;
  const isFailed = recording?.state === 'failed';
  return (
    <p role="status" class={isFailed ? 'problem' : 'muted'}>
      {recording === null ? words.hint : (recording.error ?? progressOf(recording))}
    </p>
  );
}

function progressOf({ state, offered, kept, same, idle_s }: Recording): string {
  const words = WORDS.teach;
  if (state === 'recording' && idle_s >= IDLE_S) return words.idle;
  return state === 'done' && offered === 0 ? words.nothing : words.progress(kept, same);
}

/** Takes the last batch back, and says what that was. */
function Undo({ onChange }: { readonly onChange: () => void }) {
  const words = WORDS.teach;
  const [isBusy, setBusy] = useState(false);
  const [said, setSaid] = useState<{ readonly text: string; readonly isProblem: boolean } | null>(
    null,
  );
  const undo = () => {
    setBusy(true);
    setSaid(null);
    post('teach/undo')
      .then(
        (answer) => {
          const { removed, labels } = answer as unknown as Removed;
          setSaid({ text: words.undone(removed, labels), isProblem: false });
        },
        (error: Error) => setSaid({ text: error.message, isProblem: true }),
      )
      .finally(() => {
        setBusy(false);
        onChange();
      });
  };
  return (
    <div class="row">
      <button type="button" class="quiet" disabled={isBusy} onClick={undo}>
        {words.undo}
      </button>
      {said !== null && (
        <span role="status" class={said.isProblem ? 'problem' : 'muted'}>
          {said.text}
        </span>
      )}
    </div>
  );
}

interface Removed {
  readonly removed: number;
  readonly labels: readonly (string | null)[];
}

/** Pictures, figures of pictures that were left out, and what to do next. */
function Task({ task }: { readonly task: TaughtTask }) {
  const words = WORDS.teach;
  const { labels, others, figures, advice, error } = task;
  const recallOf = (label: string) =>
    figures?.labels.find((each) => each.label === label)?.recall ?? null;
  return (
    <div class="taught">
      <h3>{task.text}</h3>
      <ul class="spots">
        {Object.entries(labels).map(([label, count]) => (
          <li key={label} class="row">
            <strong>{label}</strong>
            <span class="muted">
              {words.pictures(count)}
              {recallOf(label) !== null && `, ${words.recall(recallOf(label) ?? 0)}`}
            </span>
          </li>
        ))}
        <li class="muted">{words.others(others)}</li>
      </ul>
      {task.state === 'learning' && (
        <p class="muted">{words.learning(task.ready, task.networks)}</p>
      )}
      {error !== null && <p class="problem">{error}</p>}
      {advice.map((each) => (
        <Next key={each.text} advice={each} />
      ))}
    </div>
  );
}

import { useEffect, useRef, useState } from 'preact/hooks';
import { mayChange, post, state } from '../api.js';
import { useKept } from '../draft.js';
import { useAnswer } from '../load.js';
import type { Area, Camera, Recording, Taught, TaughtTask } from '../types.js';
import { WORDS } from '../words.js';
import { Overlay, useLivePicture } from './picture.js';

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
      {value.unusable.map(({ label, why }) => (
        <p key={label} class="problem">
          {words.unusable(label, why)}
        </p>
      ))}
      {mayChange() && value.tasks.length > 0 && (
        <div class="row">
          <button type="button" class="quiet" onClick={() => void post('teach/undo').then(reload)}>
            {words.undo}
          </button>
        </div>
      )}
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
  const [told, setTold] = useState<Recording | null>(null);
  const newest = useRef('');
  const live = taught.recordings.find(({ id }) => id === told?.id) ?? told;
  const isOver = told?.state === 'recording' && live?.state !== 'recording';
  // It has ended by itself, held or not.
  useEffect(() => {
    if (!isOver) return;
    setTold(live);
    onRecord(false);
  }, [isOver]);
  const tell = (next: Recording) => {
    const isBegun = next.state === 'recording';
    if (isBegun) newest.current = next.id;
    else onChange();
    // The end of the one before may be answered after the next has begun.
    if (next.id !== newest.current) return;
    setTold(next);
    onRecord(isBegun);
  };
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
          <Hold order={order} recording={live} onTold={tell} />
          <p role="status" class={live?.state === 'failed' ? 'problem' : 'muted'}>
            {live === null ? words.hint : (live.error ?? words.progress(live.kept, live.same))}
          </p>
          {live?.state === 'recording' && <Worth recording={live} />}
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
  const frame = useLivePicture(camera.name, camera.status === 'online');
  const size = camera.size ?? (frame === null ? null : ([frame.width, frame.height] as const));
  const [width, height] = size ?? [4, 3];
  // Its room is kept from the first: what is below must not move from under a finger.
  return (
    <div class="teach-live" style={{ aspectRatio: `${width} / ${height}` }}>
      {frame === null ? (
        <p class="muted">{WORDS.loading}</p>
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
  readonly order: { readonly label: string; readonly camera: string };
  /** The newest one that the page has begun. */
  readonly recording: Recording | null;
  readonly onTold: (recording: Recording) => void;
}

/** Records while it is held, by finger, mouse or key; at most a minute, whatever becomes of this page. */
function Hold({ order, recording, onTold }: HoldProps) {
  const begun = useRef<Promise<unknown> | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isHeld, setHeld] = useState(false);
  /** Of the one that is recorded while it is held; null: the daemon has not answered yet. */
  const [id, setId] = useState<string | null>(null);
  const isOver = id !== null && recording?.id === id && recording.state !== 'recording';
  const start = () => {
    if (begun.current !== null) return;
    setProblem(null);
    setHeld(true);
    setId(null);
    const begin = post('teach/record', { ...order, seconds: 60 });
    begun.current = begin;
    begin.then(
      (answer) => {
        const recording = answer as unknown as Recording;
        setId(recording.id);
        onTold(recording);
      },
      (error: Error) => {
        begun.current = null;
        setHeld(false);
        setProblem(error.message);
      },
    );
  };
  const end = () => {
    const begin = begun.current as Promise<{ readonly id?: unknown }> | null;
    if (begin === null) return;
    begun.current = null;
    setHeld(false);
    begin
      .then(({ id }) => post('teach/end', { id }))
      .then((recording) => onTold(recording as unknown as Recording))
      .catch((error: Error) => setProblem(error.message));
  };
  const isKey = ({ key }: KeyboardEvent) => key === ' ' || key === 'Enter';
  return (
    <>
      <button
        type="button"
        class="button hold"
        aria-pressed={isHeld && !isOver}
        disabled={order.label === ''}
        onPointerDown={(event) => {
          // What moves the button away from under the finger does not let it go.
          event.currentTarget.setPointerCapture(event.pointerId);
          start();
        }}
        onPointerUp={end}
        onPointerCancel={end}
        onLostPointerCapture={end}
        onKeyDown={(event) => isKey(event) && !event.repeat && start()}
        onKeyUp={(event) => isKey(event) && end()}
        onBlur={end}
        onContextMenu={(event) => event.preventDefault()}
      >
        {isHeld ? (isOver ? WORDS.teach.over : WORDS.teach.recording) : WORDS.teach.hold}
      </button>
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </>
  );
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

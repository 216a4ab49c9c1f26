import { useState } from 'preact/hooks';
import { isOverridden, labelsOf, mayChange, post, state } from '../api.js';
import { useDraft, useKept } from '../draft.js';
import type { Camera } from '../types.js';
import { reasonOf, sentence, timeOf, WORDS } from '../words.js';
import { Notices } from './notes.js';
import { Overlay, percent, useIsVisible, useLivePicture } from './picture.js';

export function CamerasView() {
  const cameras = state.value?.cameras ?? [];
  if (cameras.length === 0) {
    return (
      <section class="empty">
        <h2>{WORDS.noCameras.title}</h2>
        {state.value?.found.map((text) => (
          <p key={text}>{sentence(text)}</p>
        ))}
        <p>{WORDS.noCameras.text}</p>
        <pre>{WORDS.noCameras.example}</pre>
      </section>
    );
  }
  return (
    <div class={`grid cameras count-${Math.min(cameras.length, 3)}`}>
      {cameras.map((camera) => (
        <CameraCard key={camera.name} camera={camera} />
      ))}
    </div>
  );
}

function CameraCard({ camera }: { readonly camera: Camera }) {
  const [attach, isVisible] = useIsVisible();
  const [showsAreas, setShowsAreas] = useKept(`areas of ${camera.name}`, true);
  const frame = useLivePicture(camera.name, isVisible && camera.status === 'online');
  const labels = labelsOf(camera);
  const size = camera.size ?? (frame === null ? null : ([frame.width, frame.height] as const));
  const names = labels.map(({ label }) => label);
  return (
    <article class="card camera" ref={attach} aria-labelledby={`camera-${camera.name}`}>
      <figure class="picture" data-camera={camera.name}>
        {frame === null ? (
          <p class="placeholder">
            <Absent camera={camera} />
          </p>
        ) : (
          <img src={frame.url} alt={WORDS.camera.alt(camera.title, names)} />
        )}
        {frame !== null && size !== null && (
          <Overlay size={size} labels={labels} areas={showsAreas ? camera.areas : []} />
        )}
      </figure>
      <div class="card-body">
        <div class="row">
          <h2 id={`camera-${camera.name}`}>{camera.title}</h2>
          <span class={`state ${camera.status}`}>{WORDS.camera[camera.status]}</span>
          {camera.status === 'online' && (
            <span class="figures">
              {WORDS.camera.rate(camera.fps)}
              {camera.age_ms !== null && <> · {WORDS.camera.age(camera.age_ms)}</>}
            </span>
          )}
        </div>
        {camera.status === 'online' && <Present camera={camera} />}
        <Notices camera={camera} />
        <Controls camera={camera} />
        {camera.areas.length > 0 && (
          <label class="check">
            <input
              type="checkbox"
              checked={showsAreas}
              onChange={(event) => setShowsAreas(event.currentTarget.checked)}
            />
            {WORDS.camera.areas}
          </label>
        )}
      </div>
    </article>
  );
}

/** Why there is no picture. */
export function Absent({ camera: { status, reason } }: { readonly camera: Camera }) {
  if (status === 'online') return <>{WORDS.camera.waiting}</>;
  const [plain, exact] = reasonOf(reason ?? '');
  return (
    <span class="absent">
      <strong>{WORDS.camera.absent[status]}</strong>
      {status === 'offline' && (
        <>
          <span>
            {plain} {WORDS.camera.away}
          </span>
          {exact !== null && <small>{exact}</small>}
        </>
      )}
    </span>
  );
}

function Present({ camera: { present } }: { readonly camera: Camera }) {
  if (present.length === 0) return <p class="muted">{WORDS.camera.nothing}</p>;
  return (
    <ul class="chips">
      {present.map(({ label, score, since }) => (
        <li key={label} class="chip">
          <strong>{label}</strong> {percent(score)}
          <span class="muted"> {WORDS.camera.since(timeOf(since))}</span>
        </li>
      ))}
    </ul>
  );
}

function Controls({ camera }: { readonly camera: Camera }) {
  const [problem, setProblem] = useState<string | null>(null);
  const path = `cameras/${encodeURIComponent(camera.name)}`;
  const isFixed = !mayChange();
  const threshold = useDraft(camera.threshold);
  const detect = useDraft(camera.detect);
  const set = (what: string, body: object) => {
    setProblem(null);
    const done = post(`${path}/${what}`, body);
    done.catch((error: Error) => setProblem(error.message));
    return done;
  };
  const isOn = detect.shown === true;
  return (
    <div class="controls">
      <label class="switch">
        <input
          type="checkbox"
          role="switch"
          aria-checked={isOn}
          checked={isOn}
          disabled={isFixed}
          onChange={({ currentTarget: { checked: on } }) => {
            detect.keep(on);
            detect.settle(set('detect', { on }));
          }}
        />
        <span>{WORDS.camera.detect}</span>
      </label>
      <label class="slider" title={WORDS.camera.thresholdHelp}>
        <span>{WORDS.camera.threshold}</span>
        <input
          type="range"
          min="0.05"
          max="0.95"
          step="0.05"
          value={String(threshold.shown)}
          disabled={isFixed}
          onInput={(event) => threshold.keep(event.currentTarget.value)}
          onChange={(event) =>
            threshold.settle(set('threshold', { threshold: Number(event.currentTarget.value) }))
          }
        />
        <output>{Number(threshold.shown).toFixed(2)}</output>
      </label>
      {!isFixed && isOverridden(`threshold/${camera.name}`) && (
        <button
          type="button"
          class="quiet small"
          onClick={() => {
            threshold.drop();
            void set('threshold', { threshold: null });
          }}
        >
          {WORDS.camera.reset}
        </button>
      )}
      {problem !== null && (
        <p class="problem" role="alert">
          {sentence(problem)}
        </p>
      )}
    </div>
  );
}

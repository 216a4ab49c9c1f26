import { useState } from 'preact/hooks';
import { state } from '../api.js';
import { WORDS } from '../words.js';
import { Overlay, useLivePicture } from './picture.js';

type Point = readonly [number, number];

/** Corners set on a live picture, as lines of configuration to copy: shares of the frame. */
export function AreaDrawer() {
  const cameras = state.value?.cameras ?? [];
  const [chosen, setChosen] = useState(cameras[0]?.name ?? '');
  const [points, setPoints] = useState<readonly Point[]>([]);
  const camera = cameras.find((each) => each.name === chosen);
  const frame = useLivePicture(chosen, camera?.status === 'online');
  const words = WORDS.configuration;

  const add = (event: MouseEvent) => {
    const place = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const x = (event.clientX - place.left) / place.width;
    const y = (event.clientY - place.top) / place.height;
    setPoints([...points, [round(x), round(y)]]);
  };
  return (
    <section class="card card-body">
      <h2>{words.draw}</h2>
      <p class="muted">{words.drawText}</p>
      <div class="filters">
        <label>
          {WORDS.events.camera}
          <select value={chosen} onChange={(event) => setChosen(event.currentTarget.value)}>
            {cameras.map((each) => (
              <option key={each.name} value={each.name}>
                {each.title}
              </option>
            ))}
          </select>
        </label>
      </div>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: a drawing needs a pointer; the numbers can be written */}
      <figure class="picture drawing" onClick={add}>
        {frame === null ? (
          <p class="placeholder">{WORDS.camera.waiting}</p>
        ) : (
          <>
            <img src={frame.url} alt={WORDS.camera.alt(camera?.title ?? chosen, [])} />
            <Overlay
              size={[frame.width, frame.height]}
              labels={[]}
              areas={[
                {
                  kind: 'mask',
                  name: '',
                  points: points.map(([x, y]) => [x * frame.width, y * frame.height]),
                },
              ]}
            />
          </>
        )}
      </figure>
      <div class="row">
        <span class="muted">{words.corners(points.length)}</span>
        <button
          type="button"
          class="quiet"
          disabled={points.length === 0}
          onClick={() => setPoints(points.slice(0, -1))}
        >
          {words.undo}
        </button>
        <button
          type="button"
          class="quiet"
          disabled={points.length === 0}
          onClick={() => setPoints([])}
        >
          {words.clear}
        </button>
      </div>
      <Lines text={yamlOf(chosen, points)} />
    </section>
  );
}

function Lines({ text }: { readonly text: string }) {
  const [isCopied, setCopied] = useState(false);
  return (
    <div class="lines">
      <pre tabIndex={0}>{text}</pre>
      <button
        type="button"
        class="quiet"
        onClick={() => void navigator.clipboard?.writeText(text).then(() => setCopied(true))}
      >
        {isCopied ? WORDS.configuration.copied : WORDS.configuration.copy}
      </button>
    </div>
  );
}

function yamlOf(camera: string, points: readonly Point[]): string {
  const area = `[${points.map(([x, y]) => `[${x}, ${y}]`).join(', ')}]`;
  return `cameras:\n  ${camera}:\n    mask:\n      - ${area}\n`;
}

function round(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 1000) / 1000;
}

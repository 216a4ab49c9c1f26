import { useState } from 'preact/hooks';
import { state } from '../api.js';
import { WORDS } from '../words.js';
import { Overlay, useLivePicture } from './picture.js';

type Point = readonly [number, number];

/** Corners set on a live picture, as lines of configuration to copy: shares of the frame. */
export function AreaDrawer() {
  const cameras = state.value?.cameras ?? [];
  const [chosen, setChosen] = useState(cameras[0]?.name ?? '');
  const [kind, setKind] = useState<'zone' | 'mask'>('zone');
  const [name, setName] = useState('porch');
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
    <section class="card card-body wide">
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
        <div class="segments" role="group">
          {(['zone', 'mask'] as const).map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={kind === each}
              onClick={() => setKind(each)}
            >
              {words[each]}
            </button>
          ))}
        </div>
        {kind === 'zone' && (
          <label>
            {words.name}
            <input
              value={name}
              pattern="[a-z0-9_\-]+"
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </label>
        )}
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
                  kind,
                  name,
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
      <Lines text={yamlOf(chosen, kind, name, points)} />
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

function yamlOf(
  camera: string,
  kind: 'zone' | 'mask',
  name: string,
  points: readonly Point[],
): string {
  const area = `[${points.map(([x, y]) => `[${x}, ${y}]`).join(', ')}]`;
  const head = `cameras:\n  ${camera}:\n`;
  return kind === 'mask'
    ? `${head}    mask:\n      - ${area}\n`
    : `${head}    zones:\n      ${name}: { area: ${area} }\n`;
}

function round(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 1000) / 1000;
}

import { redactConfig } from '../../config/check/secrets.js';
import type {
  EventQuery,
  Happening,
  NewestLabels,
  PageSource,
  PictureKind,
} from '../../http/contract.js';
import type { Result } from '../../inference/result.js';
import { eventPayload } from '../../mqtt/publish/payloads.js';
import { VERSION } from '../../package-root.js';
import type { PresenceEvent } from '../../presence/event.js';
import type { Camera } from '../cameras/camera.js';
import { noticePayload } from '../cameras/notices.js';
import type { Context } from '../context.js';
import { taughtDocument } from '../taught/document.js';
import { pageActions } from './page-actions.js';
import { flatValues, yamlOf } from './page-config.js';
import { areasOf, governorDocument, modelDocuments } from './page-documents.js';
import { PageFacts } from './page-facts.js';
import { PageHistory } from './page-history.js';
import { shapedPicture } from './page-pictures.js';
import { passingReport } from './status.js';

const DOCTOR_KEPT_MS = 60_000;
/** Least time between two pictures of a camera that are coded for viewers, ms. */
const PICTURE_MS = 500;
/** Least time between two pictures while the governor has to save, ms. */
const PICTURE_SAVING_MS = 2000;
const MOST_SCORES = 2000;

/** Everything the page is told; asked for anew every time, since parts are exchanged by a reload. */
export class DaemonPageSource implements PageSource {
  readonly actions: PageSource['actions'];
  readonly #context: Context;
  readonly #history: PageHistory;
  readonly #facts: PageFacts;
  readonly #listeners = new Set<(happening: Happening) => void>();
  readonly #stopListening: readonly (() => void)[];
  /** The last labelled frame of each camera: what was seen, and its size. */
  readonly #last = new Map<string, { result: Result; width: number; height: number }>();
  #doctor: { readonly at: number; readonly found: Promise<readonly object[]> } | null = null;
  #viewers: () => number = () => 0;

  constructor(context: Context) {
    this.#context = context;
    this.#history = new PageHistory(context);
    this.#facts = new PageFacts(context);
    this.actions = pageActions(context);
    this.#stopListening = this.#connect();
  }

  /** @param viewers how many look now */
  countViewers(viewers: () => number): void {
    this.#viewers = viewers;
  }

  stop(): void {
    this.#history.stop();
    for (const stop of this.#stopListening) stop();
  }

  state(): object {
    const { clock, config, daemon, overrides, store } = this.#context;
    const { report, storeMb, freeMb } = this.#facts.read();
    const { writable, error, waiting } = store.health();
    const settings = overrides.state();
    return {
      ...passingReport(this.#context),
      ...report,
      store: { writable, error, waiting, size_mb: storeMb, free_mb: freeMb },
      time: new Date(clock.wall()).toISOString(),
      version: VERSION,
      node: config.node,
      uptime_s: Math.round((clock.now() - daemon.startedAt()) / 1000),
      phase: daemon.phase(),
      doing: daemon.doing(),
      viewers: this.#viewers(),
      settings: {
        pin: settings.pin,
        pinnable: overrides.pinnable(),
        limit: settings.limit ?? null,
      },
      cameras: this.cameras(),
    };
  }

  cameras(): readonly object[] {
    return this.#context.cameras.list().map((camera) => this.#cameraDocument(camera));
  }

  labels(): readonly NewestLabels[] {
    return [...this.#last].map(([camera, { result }]) => ({
      camera,
      sequence: result.sequence,
      labels: result.labels.map(labelPayload),
    }));
  }

  governor(): object {
    return governorDocument(this.#context);
  }

  models(): readonly object[] {
    return modelDocuments(this.#context);
  }

  async doctor(): Promise<readonly object[]> {
    const { clock, inspection } = this.#context;
    if (inspection === null) return [];
    const now = clock.now();
    if (this.#doctor === null || now - this.#doctor.at > DOCTOR_KEPT_MS) {
      this.#doctor = { at: now, found: inspection.doctor() };
      this.#doctor.found.catch(() => {
        this.#doctor = null;
      });
    }
    return this.#doctor.found;
  }

  config() {
    const { config, inspection } = this.#context;
    const masked = redactConfig(config);
    return {
      yaml: yamlOf(masked),
      values: flatValues(masked, inspection?.origins() ?? new Map()),
    };
  }

  logs(limit: number): readonly string[] {
    return this.#context.inspection?.logs(limit) ?? [];
  }

  history(range: '1h' | '24h' | '7d'): object {
    return { range, points: this.#history.read(range) };
  }

  events(query: EventQuery): readonly object[] {
    return [...this.#context.store.events(query)]
      .reverse()
      .map((event) => this.#eventDocument(event));
  }

  event(id: string): object | null {
    const { store } = this.#context;
    const event = store.event(id);
    if (event === null) return null;
    const { camera, label, start: since, end } = event;
    const until = end === null ? Number.MAX_SAFE_INTEGER : end + 1;
    const kept = store.detections({ camera, label, since, until, limit: MOST_SCORES });
    const scores = [...kept]
      .filter((detection) => detection.event === id)
      .map(({ time, score, box }) => ({ time: new Date(time).toISOString(), score, box }));
    return { event: this.#eventDocument(event), scores };
  }

  spots(): readonly object[] {
    const { spots } = this.#context;
    spots.count();
    return spots.list();
  }

  taught(): object {
    const { taught, model } = this.#context;
    return taughtDocument(taught, model.variant.name);
  }

  async eventPicture(id: string, kind: PictureKind): Promise<Uint8Array | null> {
    const picture = await this.#context.eventPictures.shelf?.read(id);
    return picture === undefined || picture === null ? null : shapedPicture(picture, kind);
  }

  hasCamera(name: string): boolean {
    return this.#context.cameras.get(name) !== undefined;
  }

  away(name: string): string | null {
    const camera = this.#context.cameras.get(name);
    const status = camera?.status() ?? 'offline';
    return status === 'online' ? null : (camera?.reason() ?? status);
  }

  nextPicture(camera: string) {
    return this.#context.pictures.next(camera);
  }

  pictureIntervalMs(): number {
    const state = this.#context.governor.state();
    const isSaving = state?.governs === true && state.decision.mode !== 'full';
    return isSaving ? PICTURE_SAVING_MS : PICTURE_MS;
  }

  isHealthy(): boolean {
    const { daemon, store } = this.#context;
    return daemon.phase() === 'running' && daemon.hasLabelled() && store.health().writable;
  }

  listen(listener: (happening: Happening) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #connect(): readonly (() => void)[] {
    const { signals } = this.#context;
    const tell = (happening: Happening) => {
      for (const listener of this.#listeners) listener(happening);
    };
    return [
      signals.on('labelled', ({ result, frame: { width, height } }) => {
        this.#last.set(result.camera, { result, width, height });
      }),
      signals.on('events', ({ events }) => {
        for (const event of events) tell({ kind: 'event', data: this.#eventDocument(event) });
      }),
      signals.on('camera', (data) => tell({ kind: 'camera', data })),
      signals.on('cameras', ({ removed }) => {
        for (const name of removed) this.#last.delete(name);
      }),
      signals.on('decision', () => tell({ kind: 'governor', data: {} })),
      signals.on('overrides', () => {
        this.#facts.forget();
        tell({ kind: 'settings', data: {} });
      }),
    ];
  }

  #eventDocument(event: PresenceEvent): object {
    const { shelf } = this.#context.eventPictures;
    return { ...eventPayload(event), picture: shelf?.has(event.id) ?? false };
  }

  #cameraDocument(camera: Camera): object {
    const last = this.#last.get(camera.name);
    // A JPEG that nothing had to be painted over was not decoded here: its size is not known.
    const size = last === undefined || last.width === 0 ? null : last;
    const reading = camera.meter.read(this.#context.clock.now());
    const status = camera.status();
    return {
      name: camera.name,
      title: this.#context.config.cameras[camera.name]?.name ?? camera.name,
      status,
      reason: camera.reason(),
      notices: camera.notices.list().map(noticePayload),
      fps: Math.round(10 * reading.fps) / 10,
      age_ms: reading.ageMs === null ? null : Math.round(reading.ageMs),
      detect: camera.enabled(),
      threshold: camera.threshold(),
      size: size === null ? null : [size.width, size.height],
      areas: areasOf(this.#context.config.cameras[camera.name], size),
      present: camera.presence.present().map(({ label, score, since, box }) => ({
        label,
        score,
        since: new Date(since).toISOString(),
        box,
      })),
      labels: status === 'online' ? (last?.result.labels.map(labelPayload) ?? []) : [],
    };
  }
}

function labelPayload({ label, score, box }: Result['labels'][number]): object {
  return { label, score, box };
}

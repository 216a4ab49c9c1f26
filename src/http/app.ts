import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { codedError, isCodedError } from '../errors.js';
import type { Clock } from '../time.js';
import { admit } from './admission.js';
import { shownError } from './answers.js';
import { type Asset, readAssets } from './assets.js';
import { readBody } from './body.js';
import { openApiDocument } from './openapi.js';
import type { PageOptions } from './options.js';
import { Pace, STRANGERS, VIEWERS } from './pace.js';
import type { RawRequest } from './raw-request.js';
import type { ApiRequest, Route, Surroundings } from './route.js';
import { ACTION_ROUTES } from './routes/actions.js';
import { EVENT_ROUTES } from './routes/events.js';
import { PICTURE_ROUTES } from './routes/pictures.js';
import { SESSION_ROUTES } from './routes/session.js';
import { SPOT_ROUTES } from './routes/spots.js';
import { STATE_ROUTES } from './routes/state.js';
import { TEACH_ROUTES } from './routes/teach.js';
import { Turns } from './turns.js';
import { validatorOf } from './validate.js';

/** Every route below `/api/v1`. */
export const ROUTES: readonly Route[] = [
  ...STATE_ROUTES,
  ...PICTURE_ROUTES,
  ...EVENT_ROUTES,
  ...SPOT_ROUTES,
  ...TEACH_ROUTES,
  ...ACTION_ROUTES,
  ...SESSION_ROUTES,
];

/** A request is turned away, not looked at. */
const BUSY = { 'Retry-After': '5', Connection: 'close' };

const JSON_TYPE = { 'Content-Type': 'application/json' };

type App = Hono<{ Bindings: HttpBindings }>;

export interface AppOptions {
  readonly options: Pick<PageOptions, 'basePath' | 'metrics' | 'assets' | 'version'>;
  readonly around: Surroundings;
  readonly clock: Clock;
  /** Told of what should not have happened. */
  readonly onDefect: (error: Error) => void;
}

/** Which handler answers what: the page's files, its API, health and metrics. */
export function createApp({ options, around, clock, onDefect }: AppOptions): App {
  return new Answering(options, around, { clock, onDefect }).app;
}

class Answering {
  readonly app: App = new Hono<{ Bindings: HttpBindings }>({ strict: true });
  readonly #metrics: PageOptions['metrics'];
  readonly #around: Surroundings;
  readonly #assets: ReadonlyMap<string, Asset>;
  readonly #onDefect: AppOptions['onDefect'];
  readonly #viewersPace: Pace;
  readonly #strangersPace: Pace;
  readonly #turns: Turns;

  constructor(
    options: AppOptions['options'],
    around: Surroundings,
    { clock, onDefect }: Pick<AppOptions, 'clock' | 'onDefect'>,
  ) {
    this.#metrics = options.metrics;
    this.#around = around;
    this.#assets = readAssets(options.assets);
    this.#onDefect = onDefect;
    this.#viewersPace = new Pace(VIEWERS, clock);
    this.#strangersPace = new Pace(STRANGERS, clock);
    this.#turns = new Turns(clock);
    this.#route(options.basePath, options.version);
  }

  #route(base: string, version: string): void {
    const { app } = this;
    const { source } = this.#around;
    app.use('*', async (raw, next) => {
      const answer = await this.#turnAway(raw, `${base}healthz`);
      if (answer !== null) return answer;
      await next();
      return undefined;
    });
    app.get(`${base}healthz`, (raw) =>
      source.isHealthy() ? raw.text('ok\n') : raw.text('not ok\n', 503),
    );
    app.get(`${base}metrics`, (raw) => this.#readMetrics(raw));
    let document: string | null = null;
    app.get(`${base}api/v1/openapi.json`, (raw) => {
      document ??= JSON.stringify(openApiDocument(ROUTES, version));
      return raw.body(document, 200, JSON_TYPE);
    });
    for (const route of ROUTES) this.#register(base, route);
    app.all(`${base}api/*`, (raw) => this.#missing(raw, 'this path of the API'));
    app.get(base, (raw) => this.#asset(raw, 'index.html'));
    app.get(`${base}:file`, (raw) => this.#asset(raw, raw.req.param('file') ?? ''));
    if (base !== '/')
      app.get(base.slice(0, -1), (raw) => raw.redirect(`${base.split('/').at(-2)}/`));
    app.notFound((raw) => this.#missing(raw, 'this address'));
    app.onError((error, raw) => this.#fail(raw, error));
  }

  /** The answer to a request that is not looked at; null: it is. */
  async #turnAway(raw: RawRequest, health: string): Promise<Response | null> {
    for (const [name, value] of Object.entries(this.#around.headers(raw))) raw.header(name, value);
    const refused = this.#around.admission.refusal(raw);
    if (refused !== null) return this.#fail(raw, refused);
    // Whether it is well must be seen in a storm as well.
    if (raw.req.path === health) return null;
    // Strangers who flood the page take nothing from those who may look.
    const isKnown = this.#around.admission.visitor(raw) !== null;
    const pace = isKnown ? this.#viewersPace : this.#strangersPace;
    if (await pace.keep(raw.req.raw.signal)) return null;
    for (const [name, value] of Object.entries(BUSY)) raw.header(name, value);
    return this.#fail(raw, codedError('MND_HTTP_BUSY', { next: 'try again in some seconds' }));
  }

  #register(base: string, route: Route): void {
    const validator = validatorOf(route);
    const path = `${base}api/v1${route.path.replace(/\{(\w+)\}/g, ':$1')}`;
    this.app.on(route.method, path, async (raw) => {
      const { admission } = this.#around;
      const visitor = admission.visitor(raw);
      if (route.role !== null) admit(visitor, route.role);
      const request: ApiRequest = {
        params: raw.req.param(),
        query: await validator.query(raw.req.query()),
        body: route.method === 'post' ? await validator.body(await readBody(raw)) : {},
        visitor,
        address: admission.arrival(raw).address,
        signal: raw.req.raw.signal,
        raw,
        turns: this.#turns,
      };
      const work = () => route.handle(request, this.#around);
      const answer = await (route.isHeavy === true ? this.#turns.take(work) : work());
      return answer instanceof Response ? answer : raw.json(answer);
    });
  }

  async #readMetrics(raw: RawRequest): Promise<Response> {
    const metrics = this.#metrics;
    if (metrics === null) return this.#missing(raw, 'this address');
    const { admission } = this.#around;
    if (!admission.isScraper(raw, metrics.sha256)) admit(admission.visitor(raw), 'view');
    return raw.body(await metrics.read(), 200, { 'Content-Type': metrics.contentType });
  }

  #asset(raw: RawRequest, name: string): Response {
    const asset = this.#assets.get(name);
    if (asset === undefined) return this.#missing(raw, 'this address');
    raw.header('Content-Type', asset.type);
    raw.header('Vary', 'Accept-Encoding');
    if (asset.isImmutable) raw.header('Cache-Control', 'private, max-age=31536000, immutable');
    if (/\bgzip\b/.test(raw.req.header('Accept-Encoding') ?? '')) {
      raw.header('Content-Encoding', 'gzip');
      return raw.body(asset.gzipped);
    }
    return raw.body(asset.bytes);
  }

  #missing(raw: RawRequest, subject: string): Response {
    return this.#fail(raw, codedError('MND_INPUT_MISSING', { subject }));
  }

  #fail(raw: RawRequest, error: Error): Response {
    const { status, body } = shownError(error);
    if (!isCodedError(error)) this.#onDefect(error);
    return raw.json(body, status);
  }
}

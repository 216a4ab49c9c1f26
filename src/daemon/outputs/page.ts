import { createHash } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../config/config.js';
import { messageOf } from '../../errors.js';
import type { PageOptions } from '../../http/options.js';
import { VERSION } from '../../package-root.js';
import { createBackoff } from '../../time.js';
import type { Context } from '../context.js';
import type { StopOutput } from './output.js';
import { addressForPeople } from './page-address.js';
import { followCertificate, readStatusFile } from './page-files.js';
import { listenOptions } from './page-listen.js';

/**
 * Serves the page where `status.listen` says; null: nothing of it is loaded. An address that is taken is
 * logged once and tried again: labels do not wait for the page.
 */
export async function startPage(context: Context): Promise<StopOutput> {
  const { clock, config, log } = context;
  await context.addresses.release();
  if (config.status.listen === null) return () => {};
  const [{ startPage: serve }, { DaemonPageSource }, { verifyPassword }, metrics] =
    await Promise.all([
      import('../../http/server.js'),
      import('./page-source.js'),
      import('../../mqtt/broker/password.js'),
      metricsOf(context),
    ]);
  const source = new DaemonPageSource(context);
  const backoff = createBackoff({ firstMs: 5000 });
  const pageLog = log.child({ part: 'page' });
  let stop: () => Promise<void> = async () => {};
  let isStopped = false;
  let cancel = (): void => {};

  async function attempt(isFirst: boolean): Promise<void> {
    try {
      const options = pageOptions(config, metrics);
      const page = await serve(options, source, {
        clock,
        log: pageLog,
        verify: verifyPassword,
      });
      if (isStopped) return page.close();
      source.countViewers(page.viewers);
      metrics?.countViewers(page.viewers);
      const around = { hostname: hostname(), interfaces: networkInterfaces() };
      context.addresses.page = addressForPeople(page.url, config.status, around);
      context.addresses.pageError = null;
      const stopFollowing = followCertificate(config.status.tls, page.renew, pageLog, clock);
      stop = () => {
        stopFollowing();
        return page.close();
      };
      pageLog.info({ url: page.url }, 'the page listens');
    } catch (error) {
      context.addresses.pageError = messageOf(error);
      if (isFirst) pageLog.warn(`there is no page: ${messageOf(error)}`);
      cancel = clock.setTimer(() => void attempt(false), backoff.next());
    }
  }

  await attempt(true);
  return async () => {
    isStopped = true;
    cancel();
    context.addresses.page = null;
    context.addresses.pageError = null;
    await stop();
    source.stop();
    metrics?.stop();
  };
}

interface Metrics {
  readonly read: () => Promise<string>;
  readonly contentType: string;
  readonly stop: () => void;
  readonly countViewers: (viewers: () => number) => void;
}

async function metricsOf(context: Context): Promise<Metrics | null> {
  if (!context.config.status.metrics.enabled) return null;
  const { DaemonMetrics } = await import('./metrics.js');
  return new DaemonMetrics(context);
}

/** @throws MND_CONFIG_INVALID for a file that cannot be read */
function pageOptions(config: Config, metrics: Metrics | null): PageOptions {
  const { status } = config;
  const { metrics: settings } = status;
  const token =
    settings.token_file === null ? null : readStatusFile('metrics.token_file', settings.token_file);
  return {
    ...listenOptions(config),
    metrics:
      metrics === null
        ? null
        : {
            read: () => metrics.read(),
            contentType: metrics.contentType,
            sha256:
              token === null
                ? null
                : createHash('sha256').update(token.toString().trim()).digest('hex'),
          },
    assets: fileURLToPath(new URL('../../web/', import.meta.url)),
    version: VERSION,
  };
}

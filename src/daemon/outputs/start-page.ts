import type { StartPage } from '../../http/start-page.js';
import { VERSION } from '../../package-root.js';
import type { Context } from '../context.js';
import type { StopOutput } from './output.js';
import { listenOptions } from './page-listen.js';

/** A start that is over sooner needs no page of its own, ms. */
const AFTER_MS = 1000;

type Using = Pick<Context, 'clock' | 'config' | 'daemon' | 'log' | 'addresses'>;

/**
 * Shows how far the start is where the page will be, when it takes its time. The page takes the address by
 * `addresses.release`. One that cannot be listened at is left to the page, which says so.
 */
export function startStartPage({ clock, config, daemon, log, addresses }: Using): StopOutput {
  if (config.status.listen === null) return () => {};
  let page: StartPage | null = null;
  let isOver = false;
  let opening: Promise<void> = Promise.resolve();

  async function open(): Promise<void> {
    const { startStartPage: serve } = await import('../../http/start-page.js');
    if (isOver) return;
    try {
      const doing = () => daemon.doing();
      page = await serve({ ...listenOptions(config), version: VERSION, doing });
      log.debug('the page tells how far the start is');
    } catch (error) {
      log.debug({ err: error }, 'no page during the start');
    }
  }

  const cancel = clock.setTimer(() => {
    opening = open();
  }, AFTER_MS);
  addresses.release = async () => {
    isOver = true;
    cancel();
    await opening;
    await page?.close();
    page = null;
  };
  return () => addresses.release();
}

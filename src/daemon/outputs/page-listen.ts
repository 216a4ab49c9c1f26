import type { Config } from '../../config/config.js';
import { parseListen } from '../../config/schema/formats.js';
import type { PageOptions } from '../../http/options.js';
import { readCertificate } from './page-files.js';

/**
 * Where the page listens, and who may come.
 *
 * @throws MND_CONFIG_INVALID for a certificate that cannot be read
 */
export function listenOptions({
  status,
}: Config): Omit<PageOptions, 'metrics' | 'assets' | 'version'> {
  return {
    ...parseListen(status.listen ?? ''),
    tls: readCertificate(status.tls),
    users: status.users,
    tokens: status.tokens,
    trustedProxies: status.trusted_proxies,
    hosts: status.hosts,
    basePath: status.base_path,
    frameAncestors: status.frame_ancestors,
  };
}

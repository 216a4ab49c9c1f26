import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';

/**
 * The proxy for an address by HTTP_PROXY, HTTPS_PROXY and NO_PROXY; null for none. Names in lower
 * case win, as in curl. NO_PROXY lists hosts (`host`, `.domain`, `*.domain`, each with `:port` if
 * wanted) between commas or blanks; `*` means every host.
 */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): URL | null {
  const pick = (name: string) => env[name.toLowerCase()] || env[name] || '';
  const address = pick(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  if (address === '' || isExcluded(url, pick('NO_PROXY'))) return null;
  const whole = address.includes('://') ? address : `http://${address}`;
  return URL.canParse(whole) ? new URL(whole) : null;
}

function isExcluded(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [, name = '', only] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      const domain = name.replace(/^\*?\./, '');
      if (only !== undefined && only !== port) return false;
      return host === domain || host.endsWith(`.${domain}`);
    });
}

/** Headers that tell a proxy who asks; empty if its address has no user. */
export function proxyHeaders(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {};
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` };
}

/**
 * A connection through a proxy (HTTP CONNECT, RFC 9110 §9.3.6) to the host of `url`.
 *
 * @param signal ends the attempt, whatever it waits for
 */
export function openTunnel(url: URL, proxy: URL, signal: AbortSignal): Promise<Socket> {
  const target = `${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`;
  const send = proxy.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send({
      method: 'CONNECT',
      host: proxy.hostname,
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      path: target,
      headers: { host: target, ...proxyHeaders(proxy) },
      agent: false,
      signal,
    });
    const refuse = (status: number | undefined) =>
      reject(new Error(`the proxy ${proxy.host} answers with HTTP status ${status}`));
    request.once('connect', (response, socket) => {
      if (response.statusCode === 200) return resolve(socket);
      socket.destroy();
      return refuse(response.statusCode);
    });
    request.once('response', (response) => {
      response.destroy();
      refuse(response.statusCode);
    });
    request.on('error', reject);
    request.end();
  });
}

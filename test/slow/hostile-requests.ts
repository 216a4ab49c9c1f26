import type { Random } from '#mobilenetd/simulator/random.js';

export interface HostileRequest {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

const PATHS = [
  '/api/v1/state',
  '/api/v1/config',
  '/api/v1/logs',
  '/api/v1/events',
  '/api/v1/events.csv',
  '/api/v1/cameras/canarycam/frame.jpg',
  '/api/v1/cameras/canarycam/detect',
  '/api/v1/cameras/canarycam/threshold',
  '/api/v1/governor/pin',
  '/api/v1/reload',
  '/api/v1/config/check',
  '/api/v1/events/0190/forget',
  '/api/v1/events/0190/picture.jpg',
  '/api/v1/stream',
  '/api/v1/login',
  '/api/v1/history',
  '/metrics',
  '/index.html',
  '/',
  '/etc/passwd',
];
const TRICKS: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => `/.${path}`,
  (path) => `/x/..${path}`,
  (path) => `/%2e%2e${path}`,
  (path) => path.replaceAll('/', '//'),
  (path) => path.replaceAll('/', '%2f').replace('%2f', '/'),
  (path) => path.toUpperCase(),
  (path) => `${path}/`,
  (path) => `${path}%00.html`,
  (path) => `${path};.js`,
  (path) => `${path}?token=a&after=-1&limit=1e99`,
  (path) => `${path}?__proto__[role]=admin`,
  (path) => `http://evil.example${path}`,
  (path) => `${path}${'/..%5c'.repeat(20)}`,
  (path) => `${path}${'a'.repeat(6000)}`,
  (path) => `${path}%ff%fe`,
  (path) => `/..%2f..%2f${path}`,
  (path) => `/%c0%ae%c0%ae${path}`,
  (path) => `/%e0%80%ae%e0%80%ae${path}`,
  (path) => `/%252e%252e${path}`,
  (path) => path.replaceAll('/', '\\'),
  (path) => `//localhost${path}`,
  (path) => `http://anna:secret@localhost${path}`,
  (path) => `${path}#/../config`,
  (path) => `${path}?_method=POST&${'a=b&'.repeat(500)}`,
];
const HOSTS = [
  ...['localhost', '127.0.0.1', 'evil.example', '[::1]', 'localhost.', 'a'.repeat(300)],
  ...['localhost:99999', 'localhost:', '[::ffff:127.0.0.1]', '[::1', 'localhost@evil.example'],
  ...[
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    '2130706433',
    '0',
    'LOCALHOST',
    'localhost,evil',
  ],
];
const ORIGINS = [
  ...['null', 'http://evil.example', 'http://localhost', 'file://', 'http://127.0.0.1'],
  ...[
    'https://localhost',
    'http://localhost.evil.example',
    'http://[::1]',
    'http://localhost:0',
    '',
  ],
];
const COOKIES = [
  'mobilenetd=',
  `mobilenetd=${'A'.repeat(43)}`,
  'mobilenetd=undefined; mobilenetd=null',
  `${'a=b; '.repeat(800)}mobilenetd=__proto__`,
  `mobilenetd=${'%00'.repeat(40)}`,
  Array.from({ length: 1000 }, (_each, index) => `c${index}=1`).join('; '),
  `__Host-mobilenetd=${'A'.repeat(43)}; mobilenetd="${'A'.repeat(43)}"`,
];
const TOKENS = [
  'Bearer ',
  'Bearer undefined',
  `Bearer ${'a'.repeat(512)}`,
  `Bearer ${'0'.repeat(64)}`,
  'Basic YW5uYTphbm5h',
  'Bearer [object Object]',
];
const BODIES = [
  '{"on":false}',
  '{"user":"anna","password":"anna"}',
  '{"user":"nobody","password":"x"}',
  '{"user":{"$ne":null},"password":{"$ne":null}}',
  '{"__proto__":{"role":"admin"},"variant":"auto"}',
  '{"yaml":"a: &a [*a]"}',
  '{"limit":1e999}',
  '[[[[[[',
  '{"threshold":-0}',
  '\ufeff{}',
  `{"yaml":"${'x'.repeat(20_000)}"}`,
  '',
];
const FORGED: readonly Readonly<Record<string, string>>[] = [
  { 'X-Forwarded-For': '127.0.0.1' },
  { 'X-Forwarded-For': '198.51.100.7, 127.0.0.1', 'X-Forwarded-Proto': 'https' },
  { 'X-Ingress-Path': '/api/hassio_ingress/x', 'X-Remote-User-Id': 'admin' },
  { 'X-Forwarded-Prefix': `/${'a'.repeat(200)}!` },
  { 'X-Forwarded-Host': 'localhost', Forwarded: 'for=127.0.0.1;host=localhost' },
  { 'X-Original-URL': '/api/v1/state', 'X-Rewrite-URL': '/api/v1/state' },
  { 'X-HTTP-Method-Override': 'GET' },
  { 'X-HTTP-Method': 'POST', 'X-Method-Override': 'POST' },
  { 'X-Forwarded-Prefix': '/a%0d%0aSet-Cookie:mobilenetd=x/' },
  { 'X-Ingress-Path': '//evil.example/', 'X-Forwarded-Proto': 'javascript' },
  { 'X-Real-IP': '127.0.0.1', 'X-Client-IP': '127.0.0.1', 'True-Client-IP': '127.0.0.1' },
  { 'X-Large': 'a'.repeat(12_000) },
  { Expect: '100-continue' },
  { TE: 'trailers', Trailer: 'Authorization' },
  { Range: 'bytes=0-0,1-1,2-2', 'If-Range': '*' },
  { 'Content-Encoding': 'gzip' },
  { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' },
  { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Dest': 'iframe' },
  { 'Sec-Fetch-Site': 'none', 'Sec-Fetch-User': '?1' },
  { Connection: 'close, X-Forwarded-For, Cookie' },
  { Upgrade: 'websocket', Connection: 'Upgrade' },
  { Range: 'bytes=0-18446744073709551615' },
  { 'Transfer-Encoding': 'chunked' },
  { 'Accept-Encoding': `${'gzip;'.repeat(500)}q=0` },
  { 'If-None-Match': '*' },
  { 'Last-Event-ID': '999999999999999999' },
  { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Dest': 'document' },
];
const METHODS = [
  ...['GET', 'GET', 'GET', 'POST', 'POST', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'],
  ...['TRACE', 'PROPFIND', 'MKCOL', 'SEARCH'],
];

/** A request of somebody who has no login and would like to do without. */
export function hostileRequest(random: Random): HostileRequest {
  const one = <T>(of: readonly T[]): T => of[Math.floor(random.next() * of.length)] as T;
  const often = (share: number) => random.next() < share;
  const method = one(METHODS);
  const hasBody = method === 'POST' || method === 'PUT' || method === 'PATCH';
  return {
    path: one(TRICKS)(one(PATHS)),
    method,
    headers: {
      ...(often(0.7) && { Host: one(HOSTS) }),
      ...(often(0.4) && { Origin: one(ORIGINS) }),
      ...(often(0.4) && { Cookie: one(COOKIES) }),
      ...(often(0.4) && { Authorization: one(TOKENS) }),
      ...(often(0.5) && one(FORGED)),
      ...(hasBody && { 'Content-Type': often(0.8) ? 'application/json' : 'text/plain' }),
    },
    ...(hasBody && { body: Buffer.from(one(BODIES)) }),
  };
}

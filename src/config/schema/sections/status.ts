import { isIP } from 'node:net';
import {
  boolean,
  type Format,
  format,
  list,
  nullable,
  oneOf,
  text,
} from '../../../schema/format.js';
import { items, key, required, type Section } from '../../../schema/section.js';
import { filePath } from '../../../schema/text.js';
import { listen, passwordHash } from '../formats.js';

const ROLE = oneOf('view', 'admin');
const ROLE_DOC = 'view sees, admin sets as well.';

/** An address or a network: `192.0.2.7`, `172.30.32.0/23`, `fd00::/8`. */
const network: Format<string> = format(
  {
    kinds: ['text'],
    expected: 'an IP address or a network such as 172.30.32.0/23',
    json: { type: 'string', pattern: '^[0-9a-fA-F:.]+(/\\d{1,3})?$' },
  },
  (value) => {
    const [address = '', bits, ...more] = String(value).split('/');
    const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
    const length = bits === undefined ? 0 : Number(bits);
    return (
      more.length === 0 && (bits === undefined ? most > 0 : /^\d+$/.test(bits) && length <= most)
    );
  },
);

const sha256 = text('a SHA-256 as `mobilenetd config hash-token` prints it', /^[0-9a-f]{64}$/, 64);

/** The page and its API. */
export const STATUS = {
  listen: key(
    nullable(listen),
    '127.0.0.1:8080',
    'Where the page listens; null for none. Beyond loopback it needs users or trusted_proxies.',
  ),
  users: items(
    {
      password: {
        ...required(passwordHash, 'Hash of the password (mobilenetd config hash-password).'),
        sensitive: true,
      },
      role: key(ROLE, 'view', ROLE_DOC),
    },
    {
      doc: 'Who may see the page. With none, whoever reaches it on loopback may do everything.',
      names: text('a user name', /\S/, 64),
      example: 'anna: { password: "scrypt$16384$8$1$<salt>$<key>", role: admin }',
    },
  ),
  tokens: items(
    {
      sha256: {
        ...required(sha256, 'SHA-256 of the token (mobilenetd config hash-token).'),
        sensitive: true,
      },
      role: key(ROLE, 'view', ROLE_DOC),
    },
    {
      doc: 'Programs that may ask the API, with the header Authorization: Bearer TOKEN.',
      names: text('a name', /\S/, 64),
      example: 'grafana: { sha256: "<64 hexadecimal digits>", role: view }',
    },
  ),
  trusted_proxies: key(
    list(network, 'addresses of proxies', { max: 32 }),
    [],
    'Proxies whose X-Forwarded-… and X-Ingress-Path headers are believed. Without users whoever comes through one may do everything: the proxy asks for the login.',
  ),
  hosts: key(
    list(text('a host name such as porch.local', /^[\w.-]+$/, 253), 'host names', { max: 32 }),
    [],
    'Names the page answers to besides localhost, without a port. None: without users and proxies those of this machine, else any. Name them where a proxy on this machine is trusted without users: another site could else reach the page through a browser here.',
  ),
  base_path: key(
    text('a path that begins and ends with "/"', /^\/(?:[\w.~-]+\/)*$/, 200),
    '/',
    'Path of the page when a proxy does not take its own prefix off.',
  ),
  frame_ancestors: key(
    list(
      text(
        "'self' or an origin such as https://ha.example",
        /^(?:'self'|https?:\/\/[\w.*-]+(?::\d{1,5})?)$/,
        256,
      ),
      'origins',
      { max: 16 },
    ),
    [],
    "Sites that may show the page in a frame. Home Assistant's ingress may in any case.",
  ),
  metrics: {
    enabled: key(boolean, true, 'Figures for Prometheus at /metrics of the page.'),
    token_file: key(
      nullable(filePath),
      null,
      'File with a token that reads the figures, and nothing else, without a login.',
      { path: true },
    ),
  },
  tls: {
    cert_file: key(nullable(filePath), null, 'Certificate (PEM): the page speaks https.', {
      path: true,
    }),
    key_file: key(nullable(filePath), null, 'Key (PEM) of that certificate.', { path: true }),
  },
} as const satisfies Section;

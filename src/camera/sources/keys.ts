import { boolean, nullable, oneOf, secret, text } from '../../schema/format.js';
import { key } from '../../schema/section.js';
import { absolutePath, cameraAddress, filePath } from '../../schema/text.js';

/* Keys that more than one kind of source has. */

export const URL_KEY = key(
  nullable(cameraAddress),
  null,
  'Address of a network camera, or of a video. Its user name and password are never shown.',
  { address: true },
);

export const PATH_KEY = key(
  nullable(filePath),
  null,
  'A video; a picture or a folder of pictures (files); a folder in or below which pictures appear (watch).',
  { path: true },
);

export const DEVICE_KEY = key(
  nullable(absolutePath),
  null,
  'Device of a v4l2 camera, e.g. /dev/video0.',
);

export const LOOP_KEY = key(
  boolean,
  true,
  'Whether a video or a set of pictures begins again at its end.',
);

export const HARDWARE_KEY = key(
  oneOf('none', 'auto', 'drm', 'v4l2m2m', 'vaapi'),
  'none',
  'Decoder of ffmpeg: v4l2m2m for H.264 on a Pi 4 and before, drm for H.265 on a Pi 4 and 5, none for the CPU.',
);

/** Who the camera takes us for, where its address does not say it. */
export const LOGIN_KEYS = {
  username: key(
    nullable(text('a user name', /\S/, 256)),
    null,
    'User name of a network camera; instead of one in its address.',
  ),
  password: key(nullable(secret), null, 'Its password; better in password_file.', {
    sensitive: true,
  }),
  password_file: key(nullable(filePath), null, 'File whose one line is the password.', {
    path: true,
  }),
} as const;

/** What every camera has that is read over HTTP. */
export const HTTP_KEYS = {
  url: URL_KEY,
  ...LOGIN_KEYS,
  verify: key(
    boolean,
    true,
    'false takes any certificate of an https camera, as of one that signed it itself.',
  ),
} as const;

/** What to do when a network camera fails for a reason nobody knows. */
export const NETWORK_ADVICE = 'open the same address with ffplay or VLC on another machine';

/** What to do when a path is not there. */
export const PATH_ADVICE = 'see whether the path is right, and whether what it is on is mounted';

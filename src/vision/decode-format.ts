/** A kind of picture file, known by its first bytes. */
export interface PictureFormat {
  readonly name: string;
  /** Whether pictures of this kind are read. */
  readonly readable: boolean;
  /** What to do with one that is not. */
  readonly next: string | null;
}

type Signature = readonly (readonly [offset: number, bytes: string])[];

const READABLE: readonly (readonly [name: string, signature: Signature])[] = [
  ['JPEG', [[0, '\xff\xd8\xff']]],
  ['PNG', [[0, '\x89PNG\r\n']]],
  [
    'WebP',
    [
      [0, 'RIFF'],
      [8, 'WEBP'],
    ],
  ],
  ['GIF', [[0, 'GIF8']]],
  ['TIFF', [[0, 'II*\0']]],
  ['TIFF', [[0, 'MM\0*']]],
  ['AVIF', [[4, 'ftypavif']]],
  ['AVIF', [[4, 'ftypavis']]],
];

const HEIC_ADVICE =
  'convert it (heif-convert FILE.heic FILE.jpg), or let the phone take JPEG ("most compatible")';
const convert = (extension: string): string =>
  `convert it, e.g. with ImageMagick: convert FILE.${extension} FILE.png`;

const VIDEO_ADVICE =
  'take a picture out of it: ffmpeg -i FILE -frames:v 1 FRAME.png (or use source: video)';
const WEB_PAGE =
  'this is a page, no picture: open it in a browser, and save the picture that it shows';

/** Kinds that people have, and that are not read. */
const UNREADABLE: readonly (readonly [name: string, signature: Signature, next: string])[] = [
  ...['heic', 'heix', 'hevc', 'heim', 'heis', 'mif1', 'msf1'].map(
    (brand) => ['HEIC', [[4, `ftyp${brand}`]], HEIC_ADVICE] as const,
  ),
  ['BMP', [[0, 'BM']], convert('bmp')],
  ['JPEG 2000', [[0, '\0\0\0\x0cjP  ']], convert('jp2')],
  ['JPEG 2000', [[0, '\xff\x4f\xff\x51']], convert('j2k')],
  ['JPEG XL', [[0, '\xff\x0a']], convert('jxl')],
  ['JPEG XL', [[0, '\0\0\0\x0cJXL ']], convert('jxl')],
  ...[1, 2, 3, 4, 5, 6].map((kind) => ['PPM', [[0, `P${kind}`]], convert('ppm')] as const),
  ['PDF', [[0, '%PDF']], 'make a picture of its page: pdftoppm -png FILE.pdf PAGE'],
  ['PAM', [[0, 'P7']], convert('pam')],
  ['PFM', [[0, 'PF']], convert('pfm')],
  ['ICO', [[0, '\0\0\x01\0']], convert('ico')],
  ['QOI', [[0, 'qoif']], convert('qoi')],
  ['OpenEXR', [[0, 'v/1\x01']], convert('exr')],
  ['Photoshop', [[0, '8BPS']], 'save it as PNG'],
  ['PostScript', [[0, '%!PS']], 'make a picture of its page, e.g. with Ghostscript'],
  ...['<!DO', '<!do', '<htm', '<HTM'].map((text) => ['HTML', [[0, text]], WEB_PAGE] as const),
  [
    'AVI',
    [
      [0, 'RIFF'],
      [8, 'AVI '],
    ],
    VIDEO_ADVICE,
  ],
  ['Matroska', [[0, '\x1aE\xdf\xa3']], VIDEO_ADVICE],
  ...['isom', 'mp4', 'iso', 'M4V', 'qt  ', 'avc1'].map(
    (brand) => ['MP4', [[4, `ftyp${brand}`]], VIDEO_ADVICE] as const,
  ),
  ['SVG', [[0, '<svg']], 'make a picture of it: rsvg-convert -o FILE.png FILE.svg'],
  ['SVG', [[0, '<?xml']], 'make a picture of it: rsvg-convert -o FILE.png FILE.svg'],
];

/** The kinds that are read, for help and errors. */
export const READABLE_FORMATS = [...new Set(READABLE.map(([name]) => name))].join(', ');

/** Bytes that {@link identifyPicture} looks at. */
export const SIGNATURE_BYTES = 16;

/** What kind of picture begins with these bytes; null for anything unknown. */
export function identifyPicture(bytes: Uint8Array): PictureFormat | null {
  const head = Buffer.from(bytes.subarray(0, SIGNATURE_BYTES)).toString('latin1');
  const matches = (signature: Signature): boolean =>
    signature.every(([offset, text]) => head.startsWith(text, offset));
  const readable = READABLE.find(([, signature]) => matches(signature));
  if (readable !== undefined) return { name: readable[0], readable: true, next: null };
  const known = UNREADABLE.find(([, signature]) => matches(signature));
  return known === undefined ? null : { name: known[0], readable: false, next: known[2] };
}

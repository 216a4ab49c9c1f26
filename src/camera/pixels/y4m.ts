import { codedError } from '../../errors.js';
import { frameLength, MAX_FRAME_BYTES } from '../slot.js';
import type { CapturedFrame } from '../source.js';
import { type BlockAssembler, createBlockAssembler } from './assembler.js';

/** Reads a YUV4MPEG2 stream, chunk by chunk. */
export interface Y4mReader {
  /** Throws MND_FRAME_INVALID when the stream is not what it should be; it is unusable then. */
  push(chunk: Uint8Array): void;
}

const MAX_LINE = 512;
const NEWLINE = 10;
const FRAME_MARKER = 'FRAME';

/**
 * YUV4MPEG2 (mjpegtools' `yuv4mpeg(5)`): a header line with the size, then for each frame a line
 * that starts with `FRAME` and the planes. Only 8-bit 4:2:0 is read. The marker between the frames
 * proves that a frame is whole and in step; a half frame is never delivered. The range is that of
 * ffmpeg's `XCOLORRANGE`, or `limited` where there is none.
 */
export function createY4mReader(onFrame: (frame: CapturedFrame) => void): Y4mReader {
  let line = '';
  let stream: { readonly assembler: BlockAssembler } | null = null;
  let inFrame = false;

  function readHeader(header: string): void {
    const format = parseHeader(header);
    const length = frameLength('yuv420p', format.width, format.height) ?? 0;
    const assembler = createBlockAssembler(length, (bytes) => {
      inFrame = false;
      onFrame({ ...format, format: 'yuv420p', bytes });
    });
    stream = { assembler };
  }

  function endLine(): void {
    if (stream === null) {
      readHeader(line);
    } else {
      if (line !== FRAME_MARKER && !line.startsWith(`${FRAME_MARKER} `)) {
        throw invalid('a frame marker', 'other bytes: the stream is out of step');
      }
      inFrame = true;
    }
    line = '';
  }

  return {
    push(chunk) {
      let position = 0;
      while (position < chunk.length) {
        if (inFrame && stream !== null) {
          position = stream.assembler.push(chunk, position);
          continue;
        }
        const byte = chunk[position] ?? 0;
        position += 1;
        if (byte === NEWLINE) {
          endLine();
        } else {
          if (line.length >= MAX_LINE)
            throw invalid('a line of text', 'bytes without an end of line');
          line += String.fromCharCode(byte);
        }
      }
    },
  };
}

function invalid(expected: string, found: string): Error {
  return codedError('MND_FRAME_INVALID', { subject: 'video stream', expected, found });
}

function parseHeader(header: string): Pick<CapturedFrame, 'width' | 'height' | 'range'> {
  const [magic, ...fields] = header.split(' ');
  if (magic !== 'YUV4MPEG2') throw invalid('a YUV4MPEG2 header', 'another format');
  const field = (tag: string) => fields.find((text) => text.startsWith(tag))?.slice(tag.length);
  const width = Number(field('W'));
  const height = Number(field('H'));
  const chroma = field('C') ?? '420';
  if (!/^420(jpeg|mpeg2|paldv)?$/.test(chroma)) throw invalid('8-bit 4:2:0', chroma.slice(0, 20));
  const sound = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (!sound || width * height * 1.5 > MAX_FRAME_BYTES) {
    throw invalid('a size of a picture', `${width}×${height}`);
  }
  return { width, height, range: field('XCOLORRANGE=') === 'FULL' ? 'full' : 'limited' };
}

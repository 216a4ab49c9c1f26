/** Plain and patterned pictures, [1, height, width, 3], which send a network's answers to different places. */
export function trialPictures(height: number, width: number): Uint8Array[] {
  const make = (pixel: (at: number) => number) =>
    Uint8Array.from({ length: height * width * 3 }, (_, at) => pixel(at));
  return [
    make(() => 0),
    make(() => 128),
    make(() => 255),
    make((at) => (at * 2654435761) >>> 24),
    make((at) => (at % 3) * 120),
    make((at) => (Math.floor(at / 48) % 2) * 255),
  ];
}

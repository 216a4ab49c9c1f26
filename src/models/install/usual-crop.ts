/** The part of the picture that ImageNet's classifiers were evaluated on. */
const IMAGENET_CROP = 0.875;
/** Without and with a background. */
const IMAGENET_CLASSES = [1000, 1001];

/** Central part of a picture's sides that a classifier of so many classes usually sees. */
export function usualCrop(classes: number): number {
  return IMAGENET_CLASSES.includes(classes) ? IMAGENET_CROP : 1;
}

/** Name of the picture input of every converted model. */
export const INPUT_NAME = 'input';

/** Name of the output of a converted classifier. */
export const LOGITS_NAME = 'logits';

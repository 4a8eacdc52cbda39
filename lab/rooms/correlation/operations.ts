import { reverseImage } from './images.ts';
import { measureAlignment, measureGains } from './trials.ts';

/** What the worker of this room does. */
export const operations = { measureAlignment, measureGains, reverseImage };

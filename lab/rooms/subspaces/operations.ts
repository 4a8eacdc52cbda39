import { fillDiagram } from './diagram.ts';
import { learn } from './learn.ts';

/** What the worker of this room does. */
export const operations = { fillDiagram, learn };

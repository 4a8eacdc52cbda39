import { ModelError } from '../../../errors/errors.ts';

/**
 * What a file may unfold to, in entries of lists of numbers; a name counts as four, a message as sixteen. A graph of 50,000 nodes with two
 * attributes each fits, and so do 250,000 bare messages, about 150 MB as objects: two bytes of a hostile file make one.
 */
const allowance = 2 ** 22;
const perMessage = 16;

/** One reading of one file: its name for messages, and how much it may still unfold to. */
export class ReadContext {
  readonly where: string;
  #left = allowance;

  constructor(where: string) {
    this.where = where;
  }

  /** @throws ModelError once the file has unfolded to more than any real model */
  spend(entries: number): void {
    this.#left -= entries;
    if (this.#left < 0)
      this.fail('holds more nodes than any real model: it is damaged or made to harm. Export it again.');
  }

  /** The same for one node, attribute, array or graph. */
  spendMessage(): void {
    this.spend(perMessage);
  }

  fail(message: string, cause?: unknown): never {
    throw new ModelError(this.where, message, cause === undefined ? {} : { cause });
  }
}

/** A name from a file as it may stand in a message of one line: short and without control characters. */
export function printable(name: string): string {
  const clean = name.slice(0, 120).replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '?');
  return name.length > 120 ? `${clean}...` : clean;
}

/** The same between quotes. */
export function quoted(name: string): string {
  return `'${printable(name)}'`;
}

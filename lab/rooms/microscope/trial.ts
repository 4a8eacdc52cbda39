import type { SelfCheck } from '../../../src/analysis/self-check.ts';
import { showNumber } from '../../components/scale.ts';

/** What pictures say of the readings of a network. */
export interface Trial {
  readonly check: SelfCheck;
  /** Pictures on which they were tried. */
  readonly count: number;
  /** The reading that a side-car states, by label. */
  readonly stated: string | undefined;
}

/** What is to be known of the reading in use. */
export interface TrialWords {
  /** One sentence or two. */
  readonly text: string;
  /** Whether it is amiss: another reading denoises better, or none does. */
  readonly isWarning: boolean;
}

/** A reading this many times worse than the best is another one, as in the verdict of the check. */
const MARGIN = 1.1;

/** How far a reading of a dropped network can be trusted. @param label  the reading in use */
export function trialWords({ check, count, stated }: Trial, label: string): TrialWords {
  const { readings, best, overflowed } = check;
  const pictures = count === 1 ? '1 picture' : `${count} pictures`;
  if (check.verdict === 'unclear') {
    const advice = 'Drop pictures of the kind that it was trained on, or choose a reading that you know to be right.';
    return {
      text: `Under none of ${readings.length} readings does it denoise ${pictures}. ${advice}`,
      isWarning: true,
    };
  }
  if (overflowed.includes(label)) {
    return { text: `Read so, it gives values that are not finite; '${best.label}' denoises best.`, isWarning: true };
  }
  const own = readings.find((reading) => reading.label === label);
  if (own === undefined) {
    return { text: `Not tried for want of time: of ${readings.length} others '${best.label}' denoises ${pictures} best.`, isWarning: false }; // prettier-ignore
  }
  if (own.score > MARGIN * (readings[0]?.score ?? 0)) {
    const times = showNumber(own.score / best.score);
    return { text: `Read so, it leaves ${times} times the squared error that '${best.label}' leaves on ${pictures}.`, isWarning: true }; // prettier-ignore
  }
  if (stated !== undefined && stated !== label) {
    return { text: `Its side-car says '${stated}', but read as here it denoises ${pictures} better.`, isWarning: true };
  }
  return { text: `Of ${readings.length} readings tried on ${pictures} none denoises better.`, isWarning: false };
}

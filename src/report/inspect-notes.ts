import type { InspectResult } from '../experiments/inspect-result.ts';
import { notesSection } from './page.ts';

/** Terms of the report: name and definition, both HTML. */
const TERMS: readonly (readonly [string, string])[] = [
  [
    'Denoiser and Jacobian',
    'D(x; \u03c3) is the best guess of the clean sample x\u2080 from x = x\u2080 + \u03c3 n, n standard normal (variance-exploding coordinates, VE). ' +
      'J = \u2202D/\u2202x says how that guess moves with x; its singular values s\u2081 \u2265 s\u2082 \u2265 \u2026 and vectors J v = s u are taken at noised held-out samples and along a sampling trajectory.',
  ],
  [
    'Rank, \u221aenergy 0.99',
    'The smallest r with (s\u2081\u00b2 + \u2026 + s\u1d63\u00b2)<sup>\u00bd</sup> &gt; 0.99 (s\u2081\u00b2 + \u2026 + s\u2099\u00b2)<sup>\u00bd</sup>, the rule of the papers\u2019 code, which keeps 98.01 % of the energy. Rank ratio = rank / dimension.',
  ],
  [
    'Rank, energy 0.99',
    'The smallest r with s\u2081\u00b2 + \u2026 + s\u1d63\u00b2 &gt; 0.99 (s\u2081\u00b2 + \u2026 + s\u2099\u00b2).',
  ],
  [
    'Residual',
    'The larger of |J v \u2212 s u| and |J\u1d40 u \u2212 s v| for a computed triplet: some singular value of J lies within that distance of s.',
  ],
  [
    'Symmetry defect',
    '|J \u2212 J\u1d40| / |J| in Frobenius norms. The exact posterior mean has a symmetric J = Cov[x\u2080 | x] / \u03c3\u00b2, so 0 is ideal.',
  ],
  [
    'Linearity',
    'With l = D(x) + \u03bb J v along the first right singular vector v: cosine is that between D(x + \u03bb v) and l; norm ratio is |D(x + \u03bb v)| / |l|; remainder is |D(x + \u03bb v) \u2212 l| over the larger of |D(x + \u03bb v) \u2212 D(x)| and |\u03bb J v|, at most 2.',
  ],
  [
    'Pictures',
    'Directions are blue where negative, white at zero and red where positive, each scaled to its own largest value (three channels: colours about grey). A noisy image is shown over the clean range widened by 2\u03c3 on both sides.',
  ],
];

/** Terms of the copy check. */
const COPYING: readonly (readonly [string, string])[] = [
  [
    'Verdict',
    'As <code>eigenlens audit</code> finds it. A rule counts where the upper end of its rate on held-out images is at most 5 %. <i>Copies</i>: the lower end of one such rate of the samples is above 5 %. <i>Does not copy</i>: the upper ends of all are at most 5 %. Else there is not enough evidence.',
  ],
  [
    'Ratio, similarity, distance',
    'Ratio: distance of the pixels to the nearest training image over that to the second nearest, a copy below 1/3. Similarity: cosine of the descriptions with the nearest training image. Distance: Euclidean, of the pixels. A star marks a threshold beyond which 1 % of held-out images lie; the rates of others are shown.',
  ],
  ['PSNR', '10 log\u2081\u2080(w\u00b2 / mean squared error), w the width of the value range.'],
];

const SOURCES: readonly (readonly [id: string, name: string])[] = [
  ['2310.02664', 'Gu et al., on memorization in diffusion models: distance ratio 1/3'],
  ['2409.02374', 'Chen et al., LOCO Edit: low-rank and locally linear denoisers, rank rule, linearity'],
  ['2409.02426', 'Wang et al., diffusion models learn low-dimensional distributions by subspace clustering'],
  ['2310.05264', 'Zhang et al., the emergence of reproducibility and consistency in diffusion models'],
  ['2310.02557', 'Kadkhodaie et al., generalization arises from geometry-adaptive harmonic representations'],
];

/** The foot of the report of `inspect`. */
export function inspectNotes({ command, files, copying }: InspectResult): string {
  const sources = SOURCES.map(([id, name]) => `arXiv:${id} \u2013 ${name}.`);
  return notesSection({ terms: [...(copying ? COPYING : []), ...TERMS], sources, files, command });
}

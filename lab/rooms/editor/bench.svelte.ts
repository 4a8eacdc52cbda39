import { composed } from '../../../src/editing/compose.ts';
import { stepScale } from '../../../src/editing/edit-image.ts';
import type { DirectionSet } from '../../../src/editing/direction-set.ts';
import type { Mask } from '../../../src/editing/mask.ts';
import { connect } from '../../compute/connect.ts';
import type { Remote } from '../../compute/connect.ts';
import { live } from '../../compute/live.svelte.ts';
import type { Live } from '../../compute/live.svelte.ts';
import { drawMask, readMask } from './masks.ts';
import type { operations, Place, SearchInput, StepInput, Subject, SubjectInput } from './operations.ts';
import { DIRECTIONS } from './room.ts';
import type { EditorState } from './room.ts';
import type { FoundDirections, FoundParts } from './steps.ts';

type SubjectKey = SubjectInput & { readonly sigma: number };
/** An answer, with what was asked. */
type Of<O, I> = O & { readonly of: I };
type Wanted =
  | { readonly kind: 'search'; readonly input: SearchInput }
  | { readonly kind: 'given'; readonly input: Place & { readonly set: DirectionSet } };
interface Moved {
  readonly values: Float32Array;
  readonly of: StepInput;
}

/** Until when a slider counts as moving. */
const REST_MS = 250;

/** All that is computed in this room, following the view: picture, mask, directions, step, result. Make it while a component is set up. */
export class Bench {
  readonly worker: Remote<typeof operations>;
  readonly subject: Live<SubjectKey, Of<Subject, SubjectKey>, never>;
  readonly parts: Live<SubjectKey, Of<FoundParts, SubjectKey>, never>;
  readonly directions: Live<Wanted, Of<FoundDirections, Wanted>, never>;
  readonly preview: Live<StepInput, Moved, never>;
  readonly sample: Live<StepInput, Moved, never>;
  #rested: StepInput | undefined = $state.raw();

  readonly #view: () => EditorState;
  readonly #model = $derived.by(() => this.#view().model);
  readonly #image = $derived.by(() => this.#view().image);
  readonly #picture = $derived.by(() => this.#view().picture);
  readonly #sigma = $derived.by(() => this.#view().sigma);
  readonly #nullRank = $derived.by(() => this.#view().nullRank);
  readonly #loaded = $derived.by(() => this.#view().loaded);
  readonly #maskText = $derived.by(() => this.#view().edit.present.mask);
  readonly #strengths = $derived.by(() => this.#view().edit.present.strengths);
  readonly #key: SubjectKey = $derived.by(() => ({
    model: this.#model,
    image: this.#image,
    picture: this.#picture,
    sigma: this.#sigma,
  }));

  /** The picture that is asked for; undefined until it has been to the noise level and back. */
  readonly prepared: Subject | undefined = $derived.by(() => this.#ofKey(this.subject.value));
  /** The same, or the one before it. */
  readonly seen: Subject | undefined = $derived.by(() => this.prepared ?? this.subject.value);
  readonly wantsParts: boolean = $derived.by(
    () => this.#view().tool === 'part' || readMask(this.#maskText)?.kind === 'part',
  );
  readonly knownParts: FoundParts | undefined = $derived.by(() => this.#ofKey(this.parts.value));
  readonly mask: Mask | undefined = $derived.by(() => {
    const [, height = 1, width = 1] = this.seen?.shape ?? [];
    return this.#loaded === undefined
      ? drawMask(this.#maskText, { height, width }, this.knownParts?.labels)
      : this.#loaded.set.mask;
  });
  readonly #place: Place | undefined = $derived.by(
    () => this.prepared && { model: this.#model, noisy: this.prepared.noisy, sigma: this.#sigma },
  );
  /** Which directions are to be had; undefined until that is known. */
  readonly wanted: Wanted | undefined = $derived.by(() => {
    const [place, loaded, mask, nullRank] = [this.#place, this.#loaded, this.mask, this.#nullRank];
    if (place === undefined) return undefined;
    if (loaded !== undefined) return { kind: 'given', input: { ...place, set: loaded.set } };
    return mask && { kind: 'search', input: { ...place, mask, rank: DIRECTIONS, nullRank } };
  });
  readonly found: FoundDirections | undefined = $derived.by(() => {
    const { value } = this.directions;
    return value !== undefined && value.of === this.wanted ? value : undefined;
  });

  readonly isMoved: boolean = $derived.by(() => this.#strengths.some((s) => s !== 0));
  /** The step that the strengths make of the directions. */
  readonly step: StepInput | undefined = $derived.by(() => {
    const [place, found, scale] = [this.#place, this.found, stepScale(this.#sigma)];
    if (place === undefined || found === undefined) return undefined;
    const terms = this.#strengths.flatMap((strength, index) =>
      strength === 0 || index >= found.set.values.length ? [] : [{ set: found.set, index, weight: strength * scale }],
    );
    return terms.length === 0 ? undefined : { ...place, step: composed(terms).data };
  });
  readonly isSampled: boolean = $derived.by(() => this.step !== undefined && this.sample.value?.of === this.step);
  readonly isPreviewed: boolean = $derived.by(
    () => this.step !== undefined && !this.isSampled && this.preview.value?.of.noisy === this.step.noisy,
  );
  /** The picture after the edit, as well as it is known. */
  readonly after: Float32Array | undefined = $derived.by(() => {
    if (this.isSampled) return this.sample.value?.values;
    return this.isPreviewed ? this.preview.value?.values : this.seen?.back;
  });

  constructor(view: () => EditorState) {
    this.#view = view;
    const worker = connect<typeof operations>(
      () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }),
    );
    this.worker = worker;
    $effect(() => () => worker[Symbol.dispose]());
    this.subject = live(
      () => this.#key,
      (input, options) => worker.call('prepare', input, options).then((found) => ({ ...found, of: input })),
    );
    this.parts = live(
      () => (this.wantsParts && this.prepared !== undefined ? this.#key : undefined),
      (input, options) => worker.call('findParts', input, options).then((found) => ({ ...found, of: input })),
    );
    this.directions = live(
      () => this.wanted,
      async (one, options) => {
        const found = await (one.kind === 'search'
          ? worker.call('search', one.input, options)
          : worker.call('describe', one.input, options));
        return { ...found, of: one };
      },
    );
    this.preview = live(
      () => this.step,
      (input, options) => worker.call('preview', input, options).then((values) => ({ values, of: input })),
    );
    $effect(() => {
      const input = this.step;
      const timer = setTimeout(() => (this.#rested = input), REST_MS);
      return () => clearTimeout(timer);
    });
    this.sample = live(
      () => this.#rested,
      (input, options) => worker.call('sample', input, options).then((values) => ({ values, of: input })),
    );
  }

  /** Searches for the parts again, where that was stopped. */
  findParts(): void {
    this.parts.request(this.#key);
  }

  /** Searches for directions again, where that was stopped. */
  findDirections(): void {
    if (this.wanted !== undefined) this.directions.request(this.wanted);
  }

  #ofKey<O>(answer: Of<O, SubjectKey> | undefined): O | undefined {
    return answer?.of === this.#key ? answer : undefined;
  }
}

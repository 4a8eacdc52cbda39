/** Where an edit may act: one flag a pixel, shared by all channels. */
export interface Mask {
  readonly height: number;
  readonly width: number;
  /** [height * width], row by row: 1 inside, 0 outside. */
  readonly inside: Uint8Array;
}

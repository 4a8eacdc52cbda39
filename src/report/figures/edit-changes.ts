import type { EditDirection, EditResult } from '../../experiments/edit-result.ts';
import type { Canvas } from '../svg.ts';
import { partColor } from './edit-palette.ts';
import { evenColumns } from './edit-tiles.ts';
import { shortened, signed } from './edit-words.ts';
import { FIGURE_STYLE } from './figure.ts';
import type { Figure } from './figure.ts';
import { withLegend } from './legend.ts';

const PANEL = 170;
const MOST_COLUMNS = 4;
const PANEL_HEIGHT = 128;
/** Characters of a part's name over a panel. */
const NAME = 18;

/** One dot of a curve, in the panel of its direction. */
interface Dot {
  readonly column: number;
  readonly row: number;
  readonly strength: number;
  readonly value: number;
  readonly color: string;
  readonly number: number;
}

/** How much the image changes inside and outside of the mask by strength, a panel a direction. */
export function changesFigure({ Plot, draw }: Canvas, { directions, parts }: EditResult): Figure {
  const title = 'How much changes, and where, by strength';
  const hasOutside = directions.some(({ changes }) => changes.some(({ outside }) => outside !== null));
  const strengths = directions[0]?.changes.map(({ strength }) => strength) ?? [];
  const ticks = [...new Set([strengths[0] ?? 0, 0, strengths.at(-1) ?? 0])];
  const svg = (width: number): string => {
    const columns = evenColumns(directions.length, Math.min(MOST_COLUMNS, Math.floor(width / PANEL)));
    const place = (i: number): { column: number; row: number } => ({
      column: i % columns,
      row: Math.floor(i / columns),
    });
    const dots = (value: (change: EditDirection['changes'][number]) => number | null): Dot[] =>
      directions.flatMap(({ changes, part, number }, i) =>
        changes.flatMap((change): Dot[] => {
          const square = value(change);
          return square === null
            ? []
            : [{ ...place(i), strength: change.strength, value: Math.sqrt(square), color: partColor(part), number }];
        }),
      );
    const [inside, outside] = [dots((c) => c.inside), dots((c) => c.outside)];
    const rows = Math.ceil(directions.length / columns);
    const channels = { x: 'strength', y: 'value', fx: 'column', fy: 'row', z: 'number' } as const;
    const plot = draw({
      width,
      height: rows * (PANEL_HEIGHT + 22) + 52,
      marginLeft: 40,
      marginBottom: 40,
      marginTop: 24,
      marginRight: 10,
      style: FIGURE_STYLE,
      ariaLabel: title,
      color: { type: 'identity' },
      fx: { axis: null, padding: 0.18 },
      fy: { axis: null, padding: 0.22 },
      x: { label: 'strength', labelAnchor: 'center', labelArrow: 'none', ticks, tickFormat: (strength: number) => signed(strength) },
      y: { label: null, grid: true, ticks: 3, domain: [0, Math.max(...inside.map(({ value }) => value), 1e-9)], nice: true },
      marks: [
        Plot.text(directions.map((d, i) => ({ ...place(i), name: `${d.number}, ${shortened(parts[d.part]?.name ?? '', NAME)}` })), { fx: 'column', fy: 'row', text: 'name', frameAnchor: 'top-left', dy: -14, fontWeight: 600 }),
        Plot.ruleY([0], { strokeOpacity: 0.5 }),
        Plot.line(outside, { ...channels, stroke: 'var(--reference)', strokeWidth: 1.8, strokeDasharray: '4 3' }),
        Plot.line(inside, { ...channels, stroke: 'color', strokeWidth: 1.8 }),
        Plot.dot(inside, { ...channels, fill: 'color', r: 2.4 }),
      ],
    }); // prettier-ignore
    if (!hasOutside) return plot;
    return withLegend(plot, width, [
      { label: 'inside the part, in its colour', color: partColor(0) },
      { label: 'outside', color: 'var(--reference)', dash: '4 3' },
    ]);
  };
  return {
    name: 'changes',
    title,
    reading: hasOutside
      ? 'Root mean square change a pixel, data units: it should grow like a V inside the part, and stay near zero outside.'
      : 'Root mean square change of a value, data units: a linear effect grows like a V.',
    svg,
  };
}

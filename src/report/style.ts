import { colorVariables } from './colors.ts';

/** The style sheet of the report: system fonts, light and dark, narrow screens, print. */
export function reportStyle(): string {
  const { light, dark } = colorVariables();
  return `
:root{color-scheme:light dark;${light};--ground:#fff;--ink:#1c1c1c;--quiet:#5f6368;--line:#dcdcd8;--tint:#f6f6f3}
@media (prefers-color-scheme:dark){:root{${dark};--ground:#15171a;--ink:#e4e4e2;--quiet:#a0a4a8;--line:#34373b;--tint:#1d2024}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;-webkit-text-size-adjust:100%}
main{max-width:860px;margin:0 auto;padding:56px 50px 72px}
h1{font-size:30px;line-height:1.2;font-weight:650;letter-spacing:-.015em;margin:0 0 6px;overflow-wrap:anywhere}
h2{font-size:19px;line-height:1.3;font-weight:650;letter-spacing:-.005em;margin:0 0 4px}
p{margin:0}
.kind{color:var(--quiet);margin:0 0 26px}
.facts{display:grid;grid-template-columns:repeat(4,1fr);gap:16px 24px;margin:0;padding:16px 0;border:solid var(--line);border-width:1px 0}
.facts div:last-child{grid-column:span 2}
.facts dt,.keys dt{font-size:12.5px;color:var(--quiet)}
.facts dd{margin:0;font-size:14px;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
.keys{display:grid;grid-template-columns:repeat(4,1fr);gap:24px;margin:32px 0 0}
.keys dd{margin:0;font-size:27px;font-weight:600;letter-spacing:-.02em;line-height:1.25;font-variant-numeric:tabular-nums}
.keys dd small{display:block;font-size:12.5px;font-weight:400;letter-spacing:0;line-height:1.4;color:var(--quiet);margin-top:2px}
section{margin-top:60px}
${leadStyle}
.reading{color:var(--quiet);font-size:15px;max-width:68ch;margin:0 0 20px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th,td{padding:5px 12px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{padding-left:0}
th:last-child,td:last-child{padding-right:0}
thead th{font-weight:500;font-size:12.5px;color:var(--quiet);vertical-align:bottom;line-height:1.35}
thead tr:first-child th{border-bottom:0;padding-bottom:0}
thead th.group{text-align:center;color:var(--ink)}
tbody tr.lowest td{background:var(--tint);font-weight:600}
figure{margin:0}
svg{display:block;max-width:100%;height:auto;overflow:visible}
svg text{font-variant-numeric:tabular-nums}
.narrow{display:none}
.notes{font-size:14.5px}
.notes dt{font-weight:600;margin-top:14px}
.notes dd{margin:2px 0 0;color:var(--quiet);max-width:74ch}
.notes a{color:inherit}
code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{margin:8px 0 0;padding:12px 14px;background:var(--tint);border-radius:4px;white-space:pre-wrap;overflow-wrap:anywhere}
@media (max-width:760px){
main{padding:32px 20px 48px}
h1{font-size:25px}
.facts,.keys{grid-template-columns:repeat(2,1fr)}
.keys dd{font-size:23px}
section{margin-top:48px}
.wide{display:none}
.narrow{display:block}
.models.two{grid-template-columns:1fr}
th,td{padding:5px 8px}
}
${printStyle(light)}`;
}

/** Models beside each other above the facts: a verdict in large letters, what it stands on, a sheet of pictures. */
const leadStyle = `.lead{margin:0 0 30px}
.lead .reading{margin:12px 0 0;font-size:13.5px;max-width:none}
.models{display:grid;gap:28px}
.models.two{grid-template-columns:1fr 1fr}
.model{border-top:4px solid var(--reference);padding-top:10px}
.model.copies{border-color:var(--trajectory)}
.model.clear{border-color:var(--heldout)}
.model .name{font-size:14px;overflow-wrap:anywhere}
.model .verdict{font-size:25px;line-height:1.25;font-weight:650;letter-spacing:-.015em}
.model.copies .verdict{color:var(--trajectory)}
.model.clear .verdict{color:var(--heldout)}
.model .rate{margin:2px 0 12px;font-size:13.5px;line-height:1.45;color:var(--quiet)}
.model .rate b{color:var(--ink)}`;

/** Paper is always light, and wide enough for the wide figures. */
function printStyle(light: string): string {
  return `@media print{
:root{color-scheme:light;${light};--ground:#fff;--ink:#000;--quiet:#444;--line:#ccc;--tint:#f2f2f2}
main{max-width:none;padding:0}
section{margin-top:32px}
figure,table,.keys,.lead{break-inside:avoid}
h2,.reading{break-after:avoid}
.wide{display:block}
.narrow{display:none}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}`;
}

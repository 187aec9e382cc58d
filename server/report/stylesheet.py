"""The page's stylesheet: system fonts, thin rules, one column; tables scroll inside their box; prints to A4."""

STYLESHEET = """\
:root { color-scheme: light; --ink: #1b1b1b; --soft: #565656; --rule: #d4d4d4; --strong-rule: #1b1b1b; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 72rem; padding: 3.5rem 2rem 5rem; background: #fff; color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
  font-variant-numeric: tabular-nums; }
h1 { margin: 0 0 1rem; font-size: 2rem; font-weight: 600; line-height: 1.2; letter-spacing: -0.01em;
  max-width: 44rem; text-wrap: balance; overflow-wrap: anywhere; }
h2 { margin: 0 0 1rem; font-size: 1.25rem; font-weight: 600; line-height: 1.3; }
p, ul { max-width: 46rem; }
p { margin: 0 0 0.75rem; }
.privacy { font-size: 1.0625rem; }
.unprotected { color: #a32000; font-weight: 600; }
.facts, .note, figcaption, caption { color: var(--soft); font-size: 0.875rem; line-height: 1.45; }
.facts { margin: 0; overflow-wrap: anywhere; }
section { margin-top: 3.25rem; }
.warnings { margin-top: 2rem; padding-left: 1.25rem; border-left: 3px solid #a85a00; }
.warnings h2 { margin-bottom: 0.25rem; font-size: 1rem; }
ul { margin: 0; padding-left: 1.15rem; }
li { margin: 0.3rem 0; }
dl { display: grid; grid-template-columns: 9rem 1fr; gap: 0.9rem 1.5rem; margin: 0; max-width: 56rem; }
dt { color: var(--soft); }
dd { margin: 0; }
dd p { margin: 0; }
.scroll { overflow-x: auto; margin: 0 0 0.75rem; }
.scroll:focus-visible { outline: 2px solid #0072b2; outline-offset: 3px; }
* + .scroll { margin-top: 2.25rem; }
h2 + .scroll { margin-top: 0; }
table { border-collapse: collapse; width: 100%; font-size: 0.9375rem; line-height: 1.35; }
caption { caption-side: top; text-align: left; padding: 0 0 0.6rem; }
caption span { position: sticky; left: 0; display: inline-block; max-width: min(100%, calc(100vw - 2.2rem)); }
th, td { padding: 0.5rem 1.25rem 0.5rem 0; text-align: left; vertical-align: top; font-weight: 400; }
tr > :last-child { padding-right: 0; }
thead th { border-top: 1.5px solid var(--strong-rule); border-bottom: 1px solid var(--strong-rule);
  font-weight: 600; vertical-align: bottom; }
tbody tr + tr > *, tbody + tbody tr > * { border-top: 1px solid var(--rule); }
tbody:last-child tr:last-child > * { border-bottom: 1.5px solid var(--strong-rule); }
.group th { padding-top: 1.1rem; font-weight: 600; }
.number { text-align: right; white-space: nowrap; }
.strong > * { font-weight: 700; }
td { min-width: 4.5rem; }
tbody th { min-width: 6rem; }
small { display: block; font-size: 0.8125rem; font-weight: 400; color: var(--soft); white-space: nowrap; }
td[title] small { white-space: normal; }
.note { margin: 0 0 0.2rem; max-width: 52rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); gap: 2rem 2rem;
  margin-top: 1.5rem; }
figure { margin: 0; min-width: 0; }
figure svg { display: block; width: 100%; height: auto; max-width: 24rem; }
figure svg text { font-family: inherit !important; }
figcaption { margin-top: 0.25rem; max-width: 24rem; }
@media (max-width: 40rem) {
  body { padding: 1.75rem 1.1rem 3rem; }
  h1 { font-size: 1.5rem; }
  section { margin-top: 2.5rem; }
  dl { display: block; }
  dt { margin-top: 0.9rem; font-weight: 600; }
}
@page { size: A4; margin: 17mm 15mm 18mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 9.5pt; line-height: 1.4; }
  h1 { font-size: 18pt; }
  h2 { font-size: 12pt; break-after: avoid; }
  section { margin-top: 9mm; }
  table { font-size: 8.5pt; }
  small, caption, .note, .facts, figcaption { font-size: 7.5pt; }
  caption span { position: sticky; left: 0; display: inline-block; max-width: min(100%, calc(100vw - 2.2rem)); }
th, td { padding: 1.3mm 3mm 1.3mm 0; }
  .scroll { overflow: visible; }
  thead { display: table-header-group; }
  tr, tbody, figure, .figures, p, li, dd { break-inside: avoid; }
  caption, thead, .group, section > p:not(.note) { break-after: avoid; }
  .scroll + .note, .note + .note { break-before: avoid; }
  .figures { grid-template-columns: repeat(3, 1fr); gap: 6mm; }
}
"""

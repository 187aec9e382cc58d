"""The page's stylesheet: the reader's own fonts, thin rules, contents at the side, A4, light and dark.

Tables and wide figures scroll inside their box, so that the page itself never does sideways; a shade at the
right says that there is more.
"""

STYLESHEET = """\
:root { color-scheme: light dark; --paper: #fff; --ink: #1a1a1a; --soft: #5b5b5b; --rule: #dcdcdc; --link: #00558a;
  --alarm: #a32000; --serif: "Iowan Old Style", "Charter", "Source Serif 4", "Palatino Linotype", Georgia,
  "Liberation Serif", "Noto Serif", serif;
  --sans: "Helvetica Neue", Helvetica, Arial, "Liberation Sans", "Noto Sans", system-ui, sans-serif; }
@media screen and (prefers-color-scheme: dark) {
  :root { --paper: #14161a; --ink: #e6e6e3; --soft: #a3a39f; --rule: #34373c; --link: #7fbfe8; --alarm: #ff9a80; }
  figure svg { filter: brightness(1.3); }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1.5rem; }
body { margin: 0 auto; max-width: 64rem; padding: 4rem 2rem 6rem; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.6 var(--serif); font-variant-numeric: tabular-nums lining-nums; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
header { border-bottom: 1px solid var(--ink); padding-bottom: 1.75rem; }
h1, h2 { font-family: var(--serif); font-weight: 600; text-wrap: balance; overflow-wrap: anywhere; }
h1 { margin: 0 0 1.1rem; font-size: 2.375rem; line-height: 1.15; letter-spacing: -0.012em; max-width: 46rem; }
h2 { margin: 0 0 1.1rem; font-size: 1.4375rem; line-height: 1.3; }
p, ul { max-width: 44rem; }
p { margin: 0 0 0.75rem; }
.kicker, .facts, .note, figcaption, caption, table, nav { font-family: var(--sans); }
.kicker { margin: 0 0 0.9rem; font-size: 0.8125rem; letter-spacing: 0.02em; color: var(--soft); }
.privacy { font-size: 1.125rem; line-height: 1.5; }
.unprotected { color: var(--alarm); font-weight: 600; }
.facts, .note { color: var(--soft); font-size: 0.8125rem; line-height: 1.5; }
.facts { margin: 0; overflow-wrap: anywhere; }
nav { margin-top: 1.5rem; font-size: 0.875rem; line-height: 1.4; }
nav ol { list-style: none; margin: 0; padding: 0; columns: 15rem; column-gap: 2rem; counter-reset: place; }
nav li { margin: 0 0 0.45rem; padding-left: 1.6rem; text-indent: -1.6rem; break-inside: avoid;
  counter-increment: place; }
nav li::before { content: counter(place); display: inline-block; width: 1.6rem; text-indent: 0; color: var(--soft); }
section { margin-top: 3.5rem; }
.warnings { margin-top: 2.25rem; padding-left: 1.25rem; border-left: 2px solid var(--alarm); }
.warnings h2 { margin-bottom: 0.25rem; font-size: 1.0625rem; }
ul { margin: 1.25rem 0 0; padding-left: 1.15rem; }
.warnings ul { margin-top: 0; }
li { margin: 0.35rem 0; }
dl { display: grid; grid-template-columns: 9.5rem minmax(0, 1fr); gap: 0.85rem 1.5rem; margin: 0; max-width: 54rem; }
dt { font: 600 0.875rem/1.9 var(--sans); color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
dd p { margin: 0 0 0.2rem; }
dl + p { margin-top: 1.25rem; }
.scroll { overflow-x: auto; margin: 2.5rem 0 0.75rem;
  background: linear-gradient(to left, var(--paper) 40%, transparent) right / 2.5rem 100% no-repeat local,
    linear-gradient(to left, var(--rule), transparent) right / 1rem 100% no-repeat scroll; }
.scroll:focus-visible, .panels:focus-visible { outline: 2px solid #0072b2; outline-offset: 3px; }
h2 + .scroll { margin-top: 0; }
table { border-collapse: collapse; min-width: min(100%, 36rem); font-size: 0.84375rem; line-height: 1.35; }
caption { caption-side: top; text-align: left; padding: 0 0 0.55rem; font-size: 0.9375rem; line-height: 1.4; }
caption span { position: sticky; left: 0; display: inline-block; max-width: min(100%, calc(100vw - 2.2rem)); }
th, td { padding: 0.42rem clamp(0.6rem, 4vw - 2.4rem, 1.25rem) 0.42rem 0; text-align: left;
  vertical-align: top; font-weight: 400; }
tr > :last-child { padding-right: 0; }
thead th { border-top: 1.5px solid var(--ink); border-bottom: 1px solid var(--ink); font-weight: 600;
  vertical-align: bottom; }
tbody tr + tr > *, tbody + tbody tr > * { border-top: 1px solid var(--rule); }
tbody:last-child tr:last-child > * { border-bottom: 1.5px solid var(--ink); }
.group th { padding-top: 1.1rem; font-weight: 600; }
.group span { position: sticky; left: 0; }
.number { text-align: right; white-space: nowrap; }
.soft { color: var(--soft); }
.strong > *, .strong-cell { font-weight: 650; }
td { min-width: 3.3rem; }
tbody th { min-width: 5.5rem; }
small { display: block; font-size: 0.75rem; font-weight: 400; color: var(--soft); white-space: nowrap; }
small.long { white-space: normal; min-width: 9rem; }
td[title] small, thead small, tbody th small, .number small { white-space: normal; }
.compact { max-width: 54rem; }
.compact table { font-size: 0.8125rem; }
.compact th, .compact td { padding-top: 0.22rem; padding-bottom: 0.22rem; }
.compact tbody th { min-width: 2.5rem; }
.note { margin: 0 0 0.25rem; max-width: 50rem; }
figure { margin: 2rem 0 0; min-width: 0; }
h2 + figure { margin-top: 0; }
.panels { display: flex; flex-wrap: wrap; gap: 1.5rem 1.5rem; }
.panels svg { display: block; flex: 1 1 17.5rem; min-width: 0; height: auto; max-width: min(22rem, 100%); }
.half .panels svg { flex-basis: 25rem; max-width: min(30rem, 100%); }
.wide .panels { display: block; overflow-x: auto; }
.wide .panels svg { max-width: none; }
svg { font-family: var(--sans); }
svg text { font-family: inherit; }
figcaption { margin-top: 0.75rem; max-width: 50rem; color: var(--soft); font-size: 0.84375rem; line-height: 1.5; }
figcaption b, caption b { font-weight: 600; color: var(--ink); }
@media (min-width: 72rem) {
  body { max-width: 84rem; display: grid; grid-template-columns: 13rem minmax(0, 1fr);
    column-gap: clamp(2rem, 10vw - 5rem, 4rem); }
  header { grid-column: 1 / -1; }
  nav { position: sticky; top: 2.5rem; align-self: start; max-height: calc(100vh - 4rem); overflow-y: auto;
    margin-top: 3.6rem; font-size: 0.8125rem; }
  nav ol { columns: auto; }
}
@media (max-width: 40rem) {
  body { padding: 1.75rem 1.1rem 3rem; font-size: 1rem; }
  h1 { font-size: 1.625rem; }
  h2 { font-size: 1.25rem; }
  section { margin-top: 2.75rem; }
  dl { display: block; }
  dt { margin-top: 0.9rem; }
}
@page { size: A4; margin: 17mm 16mm 18mm; }
@media print {
  body { display: block; max-width: none; padding: 0; font-size: 9.5pt; line-height: 1.45; }
  nav { display: none; }
  h1 { font-size: 20pt; }
  h2 { font-size: 12.5pt; break-after: avoid; }
  .privacy { font-size: 10.5pt; }
  header { padding-bottom: 5mm; }
  section { margin-top: 9mm; }
  a { color: inherit; }
  dl { grid-template-columns: 32mm minmax(0, 1fr); gap: 2mm 5mm; }
  dt { font-size: 8.5pt; line-height: 1.6; }
  table { font-size: 7.5pt; }
  caption { font-size: 8.5pt; }
  small { font-size: 6.5pt; }
  .note, .facts, .kicker, figcaption { font-size: 7.5pt; }
  th, td { padding: 1.1mm 2mm 1.1mm 0; }
  td, tbody th { min-width: 0; }
  .compact table { font-size: 7pt; }
  .scroll { overflow: visible; margin-top: 6mm; background: none; }
  .panels { gap: 4mm 6mm; }
  .panels svg { flex-basis: 55mm; max-width: 75mm; }
  .half .panels svg { flex-basis: 80mm; max-width: 85mm; }
  .wide .panels { overflow: visible; }
  .wide .panels svg { max-width: 100%; }
  thead { display: table-header-group; }
  tr, figure, p, li, dd { break-inside: avoid; }
  caption, thead, .group, section > p:not(.note) { break-after: avoid; }
  .scroll + .note, .note + .note { break-before: avoid; }
}
"""

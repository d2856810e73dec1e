"""The page's style sheet: light and dark, phone and paper; colours safe for colour-blind eyes (Okabe–Ito)."""

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#5b6470;--paper:#fff;--card:#f5f7f9;--line:#d8dde3;--up:#0072b2;--down:#d55e00;
--fire:#d55e00;--arm:#b07900;--calm:#00795a;--dark:#6b7280}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--dim:#9aa4b0;--paper:#12161b;--card:#1b2128;--line:#333c47;
--up:#56b4e9;--down:#ff9a4d;--fire:#ff9a4d;--arm:#f0c143;--calm:#3fc79a;--dark:#9aa4b0}}
*{box-sizing:border-box}body{margin:0 auto;max-width:70rem;padding:1rem;background:var(--paper);color:var(--ink);
font:15px/1.45 system-ui,sans-serif}
.simulated{background:var(--fire);color:#fff;font-weight:700;padding:.6rem 1rem;border-radius:6px;margin:0 0 1rem;
text-align:center}
@media screen and (prefers-color-scheme:dark){.simulated{color:#12161b}}
h1{font-size:1.35rem;line-height:1.35;margin:.2rem 0}h2{font-size:1.1rem;margin:2rem 0 .6rem;
border-bottom:2px solid var(--line);padding-bottom:.25rem}h3{font-size:1rem;margin:1.1rem 0 .3rem}h4{margin:.8rem 0 .2rem}
.line{color:var(--dim);margin:.2rem 0 1rem}small{color:var(--dim);font-weight:400}
.board{display:grid;grid-template-columns:repeat(auto-fit,minmax(12rem,1fr));gap:.6rem;list-style:none;padding:0}
.tile{background:var(--card);border-left:5px solid var(--dark);border-radius:4px;padding:.6rem .8rem;display:flex;
flex-direction:column}.tile strong{text-transform:uppercase;letter-spacing:.04em;color:var(--dark)}
.tile.firing{border-color:var(--fire)}.tile.firing strong,.state.firing{color:var(--fire)}
.tile.armed{border-color:var(--arm)}.tile.armed strong,.state.armed{color:var(--arm)}
.tile.quiet{border-color:var(--calm)}.tile.quiet strong,.state.quiet{color:var(--calm)}.state.unknown{color:var(--dark)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;margin:.3rem 0 .8rem;font-size:.92rem}
caption{text-align:left;font-weight:600;padding:.3rem 0}td,th{padding:.28rem .5rem;border-bottom:1px solid var(--line);
text-align:left;vertical-align:top;font-weight:400}th[scope=col]{color:var(--dim)}.facts th[scope=row]{width:34%}
.figure{font-variant-numeric:tabular-nums;font-weight:600;white-space:nowrap}.figure.dark{color:var(--dim);font-weight:400;
font-style:italic;white-space:normal}.badge{font-size:.78rem;color:var(--dim);border:1px solid var(--line);border-radius:9px;
padding:0 .45rem;white-space:nowrap}.met{font-weight:600}.met.not-met,.met.unknown{font-weight:400;color:var(--dim)}
tr.marked td{background:var(--card);font-weight:700;border-top:2px solid var(--ink);border-bottom:2px solid var(--ink)}
ul{margin:.2rem 0 .5rem;padding-left:1.2rem}
figure.market{margin:0 0 1rem}figcaption{color:var(--dim);font-size:.85rem;padding:.3rem 0}
figure.market svg{display:block;width:100%;height:auto;background:var(--card);border-radius:6px}figure.market svg.small{display:none}
svg text{font:12px system-ui,sans-serif;fill:var(--dim)}svg .before{text-anchor:end}svg .middle{text-anchor:middle}
svg .head{fill:var(--ink);font-weight:600}svg .label{fill:var(--ink)}svg .grid{stroke:var(--line);stroke-width:.6}
svg .zero,svg .now{stroke:var(--dim);stroke-dasharray:3 3}svg path{fill:none;stroke-width:1.7}svg path.price{stroke:var(--ink)}
svg path.interest{stroke:var(--up)}svg path.funding{stroke:var(--down)}svg .last{fill:var(--ink)}svg .tag{fill:var(--paper);font-weight:600}
svg .bar{fill:var(--dim);opacity:.55}svg .zone{opacity:.22;fill:var(--dim)}svg .zone.resistance{fill:var(--down)}
svg .zone.support{fill:var(--up)}svg path.lead{stroke:var(--dim);stroke-width:1}svg path.lead.resistance{stroke:var(--down)}
svg path.lead.support{stroke:var(--up)}svg .zone-name.resistance{fill:var(--down)}svg .zone-name.support{fill:var(--up)}
svg path.fan{stroke:none;opacity:.2}svg path.fan.up{fill:var(--up)}svg path.fan.down{fill:var(--down)}svg path.median.up{stroke:var(--up)}
svg path.median.down{stroke:var(--down)}svg path.calm,svg path.grows,svg path.runs{stroke:none;opacity:.3}svg path.calm{fill:#009e73}
svg path.grows{fill:#f0e442}svg path.runs{fill:#d55e00}svg circle{stroke:var(--card);stroke-width:1.5}svg circle.up{fill:var(--up)}
svg circle.down{fill:var(--down)}svg line.range{stroke-width:2.5;opacity:.8}svg line.range.up{stroke:var(--up)}
svg line.range.down{stroke:var(--down)}svg .spot-name,svg .band{fill:var(--ink)}
svg rect.flow.up{fill:var(--up)}svg rect.flow.down{fill:var(--down)}svg path.level{stroke:var(--ink)}
svg .stamp{font-weight:800;fill:var(--fire);opacity:.3;text-anchor:middle}
#airpocket-chart{margin:1rem 0}
@media screen{.drawn figure.market.still{display:none}}@media print{#airpocket-chart{display:none}}
@media screen and (max-width:40rem){body{padding:.6rem;font-size:15px}.figure{white-space:normal}.wide{overflow:visible}
figure.market svg.roomy{display:none}figure.market svg.small{display:block}svg.small text{font-size:11px}
table,caption,tbody{display:block}thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{display:block;padding:.4rem 0;border-bottom:1px solid var(--line)}td,th{display:block;border:0;padding:.1rem 0}td:empty{display:none}
.grid td{display:grid;grid-template-columns:7rem 1fr;gap:.5rem}.grid td::before{content:attr(data-label);color:var(--dim)}
.grid td:first-child{font-weight:600}.facts tr{display:flex;flex-wrap:wrap;gap:.1rem .6rem;align-items:baseline}
.facts th[scope=row]{width:100%;color:var(--dim)}tr.marked{background:var(--card);border:2px solid var(--ink);border-width:2px 0}
tr.marked td{border:0;background:none}.grid td>span{justify-self:start}}
@media print{body{max-width:none;font-size:11px}article,tr,.board,figure{break-inside:avoid}h2,h3,h4,caption{break-after:avoid}
.wide{overflow:visible}.simulated{color:var(--ink);background:none;border:3px solid}}
"""

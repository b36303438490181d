/** The page's whole style. Colours are variables, so that dark mode and print are three short blocks. */
export const htmlStyle = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1c1f23;--dim:#5b636d;--line:#d5dae0;--soft:#f5f7f9;--bad:#b3261e;--good:#1a7037;--doubt:#8a5a00;--badbg:#fdf0ef;--goodbg:#edf7f0;--doubtbg:#fdf6e7}
@media (prefers-color-scheme:dark){:root{--bg:#15181c;--fg:#e4e7eb;--dim:#9aa4af;--line:#363c44;--soft:#1d2126;--bad:#ff8a80;--good:#7bd694;--doubt:#f0bd5a;--badbg:#2c1a1a;--goodbg:#16261b;--doubtbg:#2a2314}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
main{max-width:60rem;margin:0 auto;padding:1.25rem 1.25rem 3rem}
h1{font-size:1.6rem;line-height:1.25;margin:.3rem 0 .5rem}
h2{font-size:1.15rem;margin:2rem 0 .5rem;padding-top:.9rem;border-top:1px solid var(--line)}
h3{font-size:1.05rem;margin:0 0 .4rem}
p{margin:.4rem 0}
ul,ol{margin:.4rem 0;padding-left:1.3rem}
li{margin:.35rem 0}
code,pre{font:.86em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
code{background:var(--soft);border:1px solid var(--line);border-radius:4px;padding:.05em .3em}
pre{background:var(--soft);border:1px solid var(--line);border-radius:6px;padding:.6rem .75rem;margin:.4rem 0;white-space:pre-wrap}
blockquote{margin:.4rem 0;padding:.35rem .75rem;border-left:3px solid var(--line);background:var(--soft);font:.86em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.answer{border-left:5px solid var(--tone);background:var(--tonebg);border-radius:0 8px 8px 0;padding:.9rem 1.1rem}
.bad{--tone:var(--bad);--tonebg:var(--badbg)}.good{--tone:var(--good);--tonebg:var(--goodbg)}.doubt{--tone:var(--doubt);--tonebg:var(--doubtbg)}
.answer .kind{color:var(--tone);font-weight:600;font-size:.9rem}
.answer .summary{font-size:1.08rem}
.dim{color:var(--dim);font-size:.9rem}
.badge{display:inline-block;border:1px solid var(--line);border-radius:1em;padding:0 .6em;font-size:.82rem;color:var(--dim)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:.9rem 0}
dt{color:var(--dim)}dd{margin:0}
.causes{display:grid;gap:1rem}
.suspects{grid-template-columns:repeat(auto-fit,minmax(min(24rem,100%),1fr))}
.cause{border:1px solid var(--line);border-radius:8px;padding:1rem 1.1rem;min-width:0}
.cause h4{margin:.9rem 0 .2rem;font-size:.95rem}
details{border:1px solid var(--line);border-radius:6px;margin:.4rem 0;padding:.35rem .7rem}
summary{cursor:pointer}
details[open] summary{margin-bottom:.3rem}
.against>summary{color:var(--doubt)}
.move{background:var(--soft);border-radius:8px;padding:.1rem 1rem .5rem;margin:.9rem 0 0}
.steps{list-style:none;padding:0}
.mark{display:inline-block;width:1.4em;font-weight:700}
.mark.problem{color:var(--bad)}.mark.ok{color:var(--good)}.mark.blind{color:var(--doubt)}
.hopbox{margin:1.1rem 0;overflow-x:auto}
svg.hops{max-width:100%;height:auto;font:12px system-ui,sans-serif}
svg.down{display:none}
svg text{fill:var(--fg)}
svg .label{font-size:13px;font-weight:600}
svg .kind{fill:var(--dim);font-size:11px}
svg .remark{font-size:12px;fill:var(--dim)}
svg .remark.broken{fill:var(--bad)}svg .remark.blind{fill:var(--doubt)}
svg .box{fill:var(--soft);stroke:var(--line);stroke-width:1.5}
svg .box.answered{stroke:var(--fg);stroke-width:2}
svg .box.broken{stroke:var(--bad);stroke-width:2}
svg .box.blind{stroke:var(--doubt);stroke-dasharray:4 3}
svg .edge{fill:none;stroke:var(--dim);stroke-width:1.5}
svg .edge.broken{stroke:var(--bad)}svg .edge.unknown,svg .edge.blind{stroke-dasharray:4 3}
svg .cross{fill:none;stroke:var(--bad);stroke-width:3}
@media (max-width:46rem){svg.across{display:none}svg.down{display:block}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.4rem}main{padding:.75rem .75rem 2rem}h1{font-size:1.35rem}}
@media print{:root{--bg:#fff;--fg:#000;--dim:#444;--line:#bbb;--soft:#f6f6f6;--bad:#8f1f18;--good:#145c2c;--doubt:#6d4700;--badbg:#fff;--goodbg:#fff;--doubtbg:#fff}body{font-size:11pt}main{max-width:none;padding:0}.cause,details{break-inside:avoid}h2{break-after:avoid}details>summary{list-style:none}details:not([open])>*{display:block}details::details-content{content-visibility:visible;height:auto}svg.across{display:inline}svg.down{display:none}}
.hopbox.long svg.down{display:block}
`.trim()

<%
    s = data["summary"]
    script = data["script"]
    notes = s["notes"]
    words = {"ok": "ok", "failed": "failed", "warning": "warning", "unknown": "not measured"}
%>\
<%def name="num(path, form)"><td class="num" data-of="${path}">${form(pick(path))}</td></%def>\
<%def name="lock(mode)">${mode.removesuffix("Lock")}</%def>\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rehearsal: ${"passed" if data["passed"] else "failed"}</title>
<style>
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; margin: 0 auto; max-width: 62rem; padding: 1rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; border-bottom: 1px solid #d4d4d4; padding-bottom: .2rem; }
h3 { font-size: 1rem; margin: .8rem 0 0; }
p { margin: .4rem 0; }
.verdict { display: inline-block; font-weight: 700; font-size: 1.3rem; padding: .2rem .9rem; border: 3px solid; border-radius: .4rem; }
.ok { color: #166534; } .failed { color: #b91c1c; } .warning { color: #92400e; } .unknown { color: #6b21a8; }
.note { color: #525252; font-size: .9rem; }
.wide { overflow-x: auto; margin: .5rem 0; }
table { border-collapse: collapse; font-size: .88rem; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .28rem .6rem .28rem 0; border-bottom: 1px solid #e5e5e5; }
th { font-weight: 600; color: #525252; }
th.num, td.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.name { white-space: nowrap; }
td.long { min-width: 15rem; }
tr.lost td { background: #fef2f2; }
svg { width: 100%; height: auto; min-width: 38rem; display: block; }
details { margin: .3rem 0; }
summary { cursor: pointer; }
pre { font-size: .74rem; line-height: 1.35; overflow-x: auto; background: #f7f7f7; padding: .6rem; margin: .3rem 0; }
.sign td { height: 2.4rem; width: 33%; border-bottom: 1px solid #1a1a1a; }
@media (max-width: 40rem) {
  body { padding: .7rem; } h1 { font-size: 1.35rem; }
  table.gates tr { display: block; padding: .3rem 0; border-bottom: 1px solid #e5e5e5; }
  table.gates td { display: inline-block; border: 0; padding: 0 .5rem 0 0; } table.gates td.detail { display: block; }
  table.gates tr.head { display: none; }
}
@media print {
  @page { margin: 14mm; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .wide { overflow: visible; } table { font-size: 8pt; } svg { min-width: 0; }
  pre { white-space: pre-wrap; font-size: 6.5pt; background: #fff; border: 1px solid #d4d4d4; }
  h2, h3 { break-after: avoid; } tr, svg, .sign { break-inside: avoid; }
}
</style>
</head>
<body>
<h1>Rehearsal of the migration to Phase 2</h1>
<p><span class="verdict ${"ok" if data["passed"] else "failed"}">${"Passed" if data["passed"] else "Failed"}</span></p>
<p>${s["began"][:16].replace("T", " ")} UTC, ${clock(s["seconds"])} minutes.
% if data["own_phase1"]:
Phase 1 as it was found in the database;
% else:
${count(script["niches"])} niches, <code>hot_niches_today</code> as a ${"materialized view" if script["shape"] == "matview" else "table"};
% endif
${count(script["events"])} events of history; ${count(script["rate"])} statements a second from the application, with its nightly
scorer, and a report that left a transaction open on <code>features</code> for some seconds at a time, throughout.</p>
<p class="note">PostgreSQL ${data["server"]["version"]}; ${", ".join(f"{name} {value}" for name, value in data["server"]["settings"].items())}.
% if data["shared_role"]:
The clients had to share the migrator's role: the rollback could not shut them out.
% endif
</p>

<h2>Verdict</h2>
<table class="gates">
<tr class="head"><th>gate</th><th>verdict</th><th>measured</th></tr>
% for finding in data["findings"]:
<tr class="${"lost" if finding["verdict"] == "failed" else ""}"><td class="name">${finding["check"]}</td>
<td class="${finding["verdict"]}"><b>${words[finding["verdict"]]}</b></td><td class="detail">${finding["detail"]}
% if finding["verdict"] == "failed":
<br>${finding["remedy"]}
% endif
</td></tr>
% endfor
</table>

<h2>What the application noticed</h2>
<div class="wide">${plots[0][1] | n}</div>
<div class="wide"><table>
<tr><th>Phase 1's statements</th><th class="num">sent</th><th class="num">p50</th><th class="num">p95</th><th class="num">p99</th><th class="num">longest</th></tr>
% for name, key in (("before the rollout", "before"), ("during it", "during")):
<tr><td>${name}</td>${num(f"summary.{key}.statements", count)}${num(f"summary.{key}.p50_ms", ms)}${num(f"summary.{key}.p95_ms", ms)}${num(f"summary.{key}.p99_ms", ms)}${num(f"summary.{key}.longest_ms", ms)}</tr>
% endfor
</table></div>
<p class="note">A time counts from when the statement was due, not from when it could be sent: what waited behind a slow one is late
too. In these two lines, statements under way while Phase 1's own scorer ran, or within a second after, are left out: its one
transaction over all niches holds up updates by itself, before Phase 2 as after. The plot and the tables below hold everything.</p>

<h2>Acts</h2>
<div class="wide"><table>
<tr><th>act</th><th class="num">at</th><th class="num">took</th><th class="num">Phase 1: p50</th><th class="num">p99</th><th class="num">longest</th><th class="num">Phase 2: p50</th><th class="num">p99</th><th class="num">longest</th><th>what came of it</th></tr>
% for i, act in enumerate(s["acts"]):
<tr class="${"lost" if act["error"] else ""}"><td class="name">${act["title"]}</td>${num(f"summary.acts.{i}.began", clock)}${num(f"summary.acts.{i}.seconds", seconds)}\
% for phase in ("phase1", "phase2"):
${num(f"summary.acts.{i}.{phase}.p50_ms", ms)}${num(f"summary.acts.{i}.{phase}.p99_ms", ms)}${num(f"summary.acts.{i}.{phase}.longest_ms", ms)}\
% endfor
<td class="long">${act["detail"]}
% if act["phase1"]["turned_away"] + act["phase2"]["turned_away"]:
; ${count(act["phase1"]["turned_away"] + act["phase2"]["turned_away"])} statements turned away while it was closed
% endif
</td></tr>
% endfor
</table></div>
<div class="wide"><table>
<tr><th>seen waiting for a lock behind</th><th class="num">statements</th><th class="num">longest</th></tr>
% for i, wait in enumerate(s["waits"]):
<tr><td>${wait["behind"]}</td>${num(f"summary.waits.{i}.times", count)}${num(f"summary.waits.{i}.longest_ms", ms)}</tr>
% endfor
</table></div>
<div class="wide"><table>
<tr><th>nightly scorer</th><th class="num">at</th><th class="num">took</th></tr>
% for i, scoring in enumerate(s["scorings"]):
<tr><td>${f"failed, SQLSTATE {scoring['error']}" if scoring["error"] else "all niches scored"}</td>${num(f"summary.scorings.{i}.began", clock)}${num(f"summary.scorings.{i}.seconds", seconds)}</tr>
% endfor
</table></div>

<h2>Migration steps</h2>
% for name, drawing in plots[1:]:
<h3>${name}</h3>
<div class="wide">${drawing | n}</div>
% endfor
<div class="wide"><table>
<tr><th>step</th><th>outcome</th><th class="num">at</th><th class="num">took</th><th class="num">waited for locks</th><th class="num">tries</th><th class="num">victims</th><th class="num">longest wait</th><th>locks that it held, and declares</th></tr>
% for i, step in enumerate(s["steps"]):
<tr class="${"lost" if step["undeclared"] else ""}"><td class="name">${step["revision"]} ${step["direction"]}</td><td>${step["outcome"]}</td>${num(f"summary.steps.{i}.began", clock)}${num(f"summary.steps.{i}.seconds", seconds)}${num(f"summary.steps.{i}.seconds_waited", seconds)}${num(f"summary.steps.{i}.lock_tries", count)}${num(f"summary.steps.{i}.victims", count)}${num(f"summary.steps.{i}.longest_wait_ms", ms)}<td class="long">
% for relation, mode in step["locks"].items():
<% if relation not in step["undeclared"] and relation not in step["declared"]: continue %>\
${relation}: ${lock(mode)}
% if relation in step["undeclared"]:
<b class="failed">not declared</b>
% elif relation in step["declared"]:
(declared ${lock(step["declared"][relation])})
% endif
<br>
% endfor
</td></tr>
% endfor
</table></div>
<p class="note">Victims are statements that were seen waiting for the migrator, ten looks a second. A lock no stronger than what the
application takes itself (RowExclusive) needs no declaration, nor does that on a table which the step drops.</p>

% if notes["backfilled"]:
<h2>Backfill</h2>
<p>${count(notes["backfilled"]["rows"])} rows in <span data-of="summary.notes.backfilled.seconds">${seconds(notes["backfilled"]["seconds"])}</span>;
history at <span data-of="summary.notes.backfilled.events_per_second">${count(notes["backfilled"]["events_per_second"])}</span> events a second,
pauses and rests included: its batches took ${f'{script["share"]:.0%}'} of the time, and take ${f'{notes["backfilled"]["share"]:.0%}'} in production while the
application is at work (SIDB_BACKFILL_SHARE). At that rate 10 million events need
${f'{notes["backfilled"]["needed_hours"]:.3g}'} hours; the off-peak windows until the deadline, ${notes["backfilled"]["deadline_days"]} days, offer ${f'{notes["backfilled"]["window_hours"]:g}'}.</p>
% if notes["backfilled"]["pauses"]:
<div class="wide"><table>
<tr><th>held back for</th><th class="num">times</th><th class="num">in all</th></tr>
% for i, pause in enumerate(notes["backfilled"]["pauses"]):
<tr><td>${pause["reason"].replace("_", " ")}</td>${num(f"summary.notes.backfilled.pauses.{i}.times", count)}${num(f"summary.notes.backfilled.pauses.{i}.seconds", seconds)}</tr>
% endfor
</table></div>
% endif
% endif

% if notes["sizes_after"]:
<h2>Sizes</h2>
<% was = {each["relation"]: each["data_bytes"] + each["index_bytes"] for each in notes["sizes_before"]} %>
<div class="wide"><table>
<tr><th>relation</th><th class="num">before</th><th class="num">data after</th><th class="num">indexes after</th></tr>
% for i, relation in enumerate(notes["sizes_after"]):
<tr><td>${relation["relation"]}</td><td class="num">${size(was[relation["relation"]]) if relation["relation"] in was else "–"}</td>${num(f"summary.notes.sizes_after.{i}.data_bytes", size)}${num(f"summary.notes.sizes_after.{i}.index_bytes", size)}</tr>
% endfor
</table></div>
% endif
% if s["forecast"]:
<div class="wide"><table>
<tr><th>forecast of the new tables</th><th class="num">rows</th><th class="num">size</th><th class="num">the plan expects</th></tr>
<tr><td>first month</td>${num("summary.forecast.first_month_rows", count)}${num("summary.forecast.first_month_bytes", size)}<td class="num">20 GB</td></tr>
<tr><td>after six months</td>${num("summary.forecast.six_months_rows", count)}${num("summary.forecast.six_months_bytes", size)}<td class="num">100 GB</td></tr>
</table></div>
<p class="note">Method: the event table with its indexes was measured ${len(notes["growth"])} times while the history came in, and a line
fitted by least squares: <span data-of="summary.forecast.event_bytes">${count(s["forecast"]["event_bytes"])}</span> bytes an event. The plan's rows (10 million in
the first month, then 500,000 a day) are counted as events; the other new tables, which grow with the niches, are added as large as they are now, ${size(s["forecast"]["other_bytes"])}.
Bloat by updates and deletions, and the retention of 12 and 24 months, are not in it.</p>
% endif

% if notes["answers"]:
<h2>Readers</h2>
<div class="wide"><table>
<tr><th>query</th><th>niche</th><th class="num">rows</th><th class="num">p50</th><th class="num">p95</th><th class="num">budget</th></tr>
% for i, answer in enumerate(notes["answers"]):
<tr class="${"lost" if answer["p95_ms"] > answer["budget_ms"] else ""}"><td>${answer["reader"]}</td><td>${answer["niche"]}</td>${num(f"summary.notes.answers.{i}.rows", count)}${num(f"summary.notes.answers.{i}.p50_ms", ms)}${num(f"summary.notes.answers.{i}.p95_ms", ms)}${num(f"summary.notes.answers.{i}.budget_ms", ms)}</tr>
% endfor
</table></div>
<p class="note">Twenty runs each on one session under the traffic, for the niche with the most events and for one with as many as most
have. The plans were made and run with EXPLAIN ANALYZE:</p>
% for answer in notes["answers"]:
<details><summary>${answer["reader"]}, ${answer["niche"]}</summary><pre>${answer["plan"]}</pre></details>
% endfor
% endif

% if notes["checks"]:
<h2>Checks</h2>
<div class="wide"><table>
<tr><th>check</th><th>verdict</th><th>what was seen</th></tr>
% for check in notes["checks"]:
<tr class="${"lost" if check["verdict"] == "failed" else ""}"><td class="name">${check["check"]}</td><td class="${check["verdict"]}">${check["verdict"]}</td><td class="long">${check["detail"]}</td></tr>
% endfor
</table></div>
% endif

<h2>Statements</h2>
<div class="wide"><table>
<tr><th>statement</th><th class="num">phase</th><th class="num">sent</th><th class="num">p50</th><th class="num">p95</th><th class="num">p99</th><th class="num">longest</th><th>errors</th></tr>
% for i, statement in enumerate(s["statements"]):
<tr><td>${statement["name"]}</td><td class="num">${statement["phase"]}</td>${num(f"summary.statements.{i}.latency.statements", count)}${num(f"summary.statements.{i}.latency.p50_ms", ms)}${num(f"summary.statements.{i}.latency.p95_ms", ms)}${num(f"summary.statements.{i}.latency.p99_ms", ms)}${num(f"summary.statements.{i}.latency.longest_ms", ms)}<td>${", ".join(f"{state}: {times}" for state, times in statement["latency"]["errors"].items())}</td></tr>
% endfor
</table></div>
<p class="note">Over the whole run, Phase 1's own scorer and rollback included.</p>

<h2>Signed</h2>
<table class="sign">
<tr><th>Database Administrator</th><th>Application Developer</th><th>DevOps Engineer</th></tr>
<tr><td></td><td></td><td></td></tr>
</table>
<script>
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
</script>
</body>
</html>

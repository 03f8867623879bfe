## What only a rehearsal measures: its traffic.
<%namespace file="cells.html.mako" import="num"/>\
<%def name="noticed()">
<h2>What the application noticed</h2>
<div class="wide">${plots[0][1] | n}</div>
<div class="wide"><table>
<tr><th>Phase 1's statements</th><th class="num">sent</th><th class="num">p50</th><th class="num">p95</th><th class="num">p99</th><th class="num">longest</th></tr>
% for name, key in (("before the rollout", "before"), ("during it", "during")):
<tr><td>${name}</td>${num(f"traffic.{key}.statements", count)}${num(f"traffic.{key}.p50_ms", ms)}${num(f"traffic.{key}.p95_ms", ms)}${num(f"traffic.{key}.p99_ms", ms)}${num(f"traffic.{key}.longest_ms", ms)}</tr>
% endfor
</table></div>
<p class="note">A time counts from when the statement was due, not from when it could be sent: what waited behind a slow one is late
too. In these two lines, statements under way while Phase 1's own scorer ran, or within a second after, are left out: its one
transaction over all niches holds up updates by itself, before Phase 2 as after. The plot and the tables below hold everything.</p>

<h2>Tasks</h2>
<div class="wide"><table>
<tr><th>task</th><th class="num">at</th><th class="num">took</th><th class="num">Phase 1: p50</th><th class="num">p99</th><th class="num">longest</th><th class="num">Phase 2: p50</th><th class="num">p99</th><th class="num">longest</th><th>result</th></tr>
% for i, task in enumerate(t["tasks"]):
<tr class="${"lost" if task["error"] else ""}"><td class="name">${task["title"]}</td>${num(f"traffic.tasks.{i}.began", clock)}${num(f"traffic.tasks.{i}.seconds", seconds)}\
% for phase in ("phase1", "phase2"):
${num(f"traffic.tasks.{i}.{phase}.p50_ms", ms)}${num(f"traffic.tasks.{i}.{phase}.p99_ms", ms)}${num(f"traffic.tasks.{i}.{phase}.longest_ms", ms)}\
% endfor
<td class="long">${task["detail"]}
% if task["phase1"]["turned_away"] + task["phase2"]["turned_away"]:
; ${count(task["phase1"]["turned_away"] + task["phase2"]["turned_away"])} statements turned away while it was closed
% endif
</td></tr>
% endfor
</table></div>
<div class="wide"><table>
<tr><th>seen waiting for a lock behind</th><th class="num">statements</th><th class="num">longest</th></tr>
% for i, wait in enumerate(t["waits"]):
<tr><td>${wait["behind"]}</td>${num(f"traffic.waits.{i}.times", count)}${num(f"traffic.waits.{i}.longest_ms", ms)}</tr>
% endfor
</table></div>
<div class="wide"><table>
<tr><th>nightly scorer</th><th class="num">at</th><th class="num">took</th></tr>
% for i, scoring in enumerate(t["scorings"]):
<tr><td>${f"failed, SQLSTATE {scoring['error']}" if scoring["error"] else "all niches scored"}</td>${num(f"traffic.scorings.{i}.began", clock)}${num(f"traffic.scorings.{i}.seconds", seconds)}</tr>
% endfor
</table></div>
</%def>\
<%def name="backfilled()">
% if t["notes"]["backfilled"]:
<% done = t["notes"]["backfilled"] %>\
<p>${count(done["rows"])} rows in <span data-of="traffic.notes.backfilled.seconds">${seconds(done["seconds"])}</span>;
history at <span data-of="traffic.notes.backfilled.events_per_second">${count(done["events_per_second"])}</span> events a second,
pauses and rests included: its batches took ${f'{parameters["share"]:.0%}'} of the time, and take ${f'{done["share"]:.0%}'} in production while the
application is at work (SIDB_BACKFILL_SHARE). At that rate 10 million events need
${f'{done["needed_hours"]:.3g}'} hours; the off-peak windows until the deadline, ${done["deadline_days"]} days, offer ${f'{done["window_hours"]:g}'}.</p>
% endif
</%def>\
<%def name="forecast()">
% if t["forecast"]:
<div class="wide"><table>
<tr><th>forecast of the new tables</th><th class="num">rows</th><th class="num">size</th><th class="num">the plan expects</th></tr>
<tr><td>first month</td>${num("traffic.forecast.first_month_rows", count)}${num("traffic.forecast.first_month_bytes", size)}<td class="num">20 GB</td></tr>
<tr><td>after six months</td>${num("traffic.forecast.six_months_rows", count)}${num("traffic.forecast.six_months_bytes", size)}<td class="num">100 GB</td></tr>
</table></div>
<p class="note">Method: the event table with its indexes was measured ${len(t["notes"]["growth"])} times while the history came in, and a line
fitted by least squares: <span data-of="traffic.forecast.event_bytes">${count(t["forecast"]["event_bytes"])}</span> bytes an event. The plan's rows (10 million in
the first month, then 500,000 a day) are counted as events; the other new tables, which grow with the niches, are added as large as they are now, ${size(t["forecast"]["other_bytes"])}.
Bloat by updates and deletions, and the retention of 12 and 24 months, are not in it.</p>
% endif
</%def>\
<%def name="readers()">
% if t["notes"]["answers"]:
<h2>Readers</h2>
<div class="wide"><table>
<tr><th>query</th><th>niche</th><th class="num">rows</th><th class="num">p50</th><th class="num">p95</th><th class="num">budget</th></tr>
% for i, answer in enumerate(t["notes"]["answers"]):
<tr class="${"lost" if answer["p95_ms"] > answer["budget_ms"] else ""}"><td>${answer["reader"]}</td><td>${answer["niche"]}</td>${num(f"traffic.notes.answers.{i}.rows", count)}${num(f"traffic.notes.answers.{i}.p50_ms", ms)}${num(f"traffic.notes.answers.{i}.p95_ms", ms)}${num(f"traffic.notes.answers.{i}.budget_ms", ms)}</tr>
% endfor
</table></div>
<p class="note">Twenty runs each on one session under the traffic, for the niche with the most events and for one with as many as most
have. The plans were made and run with EXPLAIN ANALYZE:</p>
% for answer in t["notes"]["answers"]:
<details><summary>${answer["reader"]}, ${answer["niche"]}</summary><pre>${answer["plan"]}</pre></details>
% endfor
% endif
</%def>\
<%def name="statements()">
<h2>Statements</h2>
<div class="wide"><table>
<tr><th>statement</th><th class="num">phase</th><th class="num">sent</th><th class="num">p50</th><th class="num">p95</th><th class="num">p99</th><th class="num">longest</th><th>errors</th></tr>
% for i, statement in enumerate(t["statements"]):
<tr><td>${statement["name"]}</td><td class="num">${statement["phase"] or "–"}</td>${num(f"traffic.statements.{i}.latency.statements", count)}${num(f"traffic.statements.{i}.latency.p50_ms", ms)}${num(f"traffic.statements.{i}.latency.p95_ms", ms)}${num(f"traffic.statements.{i}.latency.p99_ms", ms)}${num(f"traffic.statements.{i}.latency.longest_ms", ms)}<td>${", ".join(f"{state}: {times}" for state, times in statement["latency"]["errors"].items())}</td></tr>
% endfor
</table></div>
<p class="note">Over the whole run, Phase 1's own scorer and rollback included.</p>
</%def>

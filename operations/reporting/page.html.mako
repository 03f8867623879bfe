<%namespace file="cells.html.mako" import="num, lock, checks"/>\
<%namespace name="traffic" file="traffic.html.mako"/>\
<%
    title = "Rehearsal of the migration to Phase 2" if t else "Migration to Phase 2"
    verdicts = {each["verdict"] for each in data["findings"]}
    colour = next((each for each in ("failed", "unknown") if each in verdicts), "ok")
    words = {"ok": "ok", "failed": "failed", "warning": "warning", "unknown": "missing"}
%>\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}: ${data["verdict"]}</title>
<style>
${style | n}</style>
</head>
<body>
<h1>${title}</h1>
<p><span class="verdict ${colour}">${data["verdict"]}</span></p>
% if t:
<p>${t["began"][:16].replace("T", " ")} UTC, ${clock(t["seconds"])} minutes.
% if data["own_phase1"]:
Phase 1 as it was found in the database;
% else:
${count(parameters["niches"])} niches, <code>hot_niches_today</code> as a ${"materialized view" if parameters["shape"] == "matview" else "table"};
% endif
${count(parameters["events"])} events of history; ${count(parameters["rate"])} statements a second from the application, with its nightly
scorer, and a report that left a transaction open on <code>features</code> for some seconds at a time, throughout.
% if data["shared_role"]:
The clients had to share the migrator's role: the rollback could not shut them out.
% endif
</p>
% else:
<p>${r["database"]}, ${moment(r["at"])} UTC${", a standby" if r["standby"] else ""}; at revision ${", ".join(r["revision"]) or "none"}, the newest is ${r["head"]}.</p>
% endif
% if r["server"]:
<p class="note">PostgreSQL ${r["server"]["version"]}; ${", ".join(f"{name} {value}" for name, value in r["server"]["settings"].items())}.</p>
% endif

<h2>Verdict</h2>
<table class="gates">
<tr class="head"><th>check</th><th>verdict</th><th>what was found</th></tr>
% for finding in data["findings"]:
<tr class="${"lost" if finding["verdict"] == "failed" else ""}"><td class="name">${finding["check"]}</td>
<td class="${finding["verdict"]}"><b>${words[finding["verdict"]]}</b></td><td class="detail said">${marked(finding["detail"]) | n}\
% if finding["verdict"] != "ok" and finding["remedy"]:
<br>Next: ${marked(finding["remedy"]) | n}\
% endif
</td></tr>
% endfor
</table>

% if t:
${traffic.noticed()}
% endif
% if r["steps"]:
<h2>Migration steps</h2>
% for name, drawing in plots[1:]:
<h3>${name}</h3>
<div class="wide">${drawing | n}</div>
% endfor
<div class="wide"><table>
<tr><th>step</th><th>outcome</th><th>started</th><th class="num">took</th><th class="num">waited for locks</th><th class="num">attempts</th><th class="num">sessions blocked</th><th class="num">longest</th><th class="num">connections</th><th class="num">active</th></tr>
% for i, step in enumerate(r["steps"]):
<tr class="${"lost" if step["undeclared"] or step["outcome"] not in ("applied", "missed") else ""}"><td class="name">${step["revision"]} ${step["direction"]}</td><td>${step["outcome"]}</td><td class="name">${moment(step["started"])}</td>${num(f"rollout.steps.{i}.seconds", seconds)}${num(f"rollout.steps.{i}.seconds_waited", seconds)}${num(f"rollout.steps.{i}.attempts", count)}${num(f"rollout.steps.{i}.blocked", count)}${num(f"rollout.steps.{i}.longest_wait_ms", ms)}${num(f"rollout.steps.{i}.connections", count)}${num(f"rollout.steps.{i}.active", count)}</tr>
<tr class="more ${"lost" if step["undeclared"] or step["outcome"] not in ("applied", "missed") else ""}"><td colspan="10"><div>\
% for relation, mode in step["locks"].items():
<% if relation not in step["undeclared"] and relation not in step["declared"]: continue %>\
${relation} ${lock(mode)}\
% if relation in step["undeclared"]:
 <b class="failed">not declared</b>\
% elif relation in step["declared"] and step["declared"][relation] != mode:
 (declared ${lock(step["declared"][relation])})\
% endif
. \
% endfor
% for alert in step["alerts"]:
<b class="warning">Alert: ${alert}.</b> \
% endfor
${step["message"] or ""}</div></td></tr>
% endfor
</table></div>
<p class="note">From the ledger; below each step the locks that it held on relations that others use, and what it declared where that differs. Blocked sessions are those that were seen waiting for the migrator, ten looks a second; connections and active
sessions are the most seen. A lock no stronger than what the application takes itself (RowExclusive) needs no declaration, nor does that on
a table which the step drops.</p>
% if loads:
<div class="loads">
% for name, drawing in loads:
<figure>${drawing | n}<figcaption>${name}</figcaption></figure>
% endfor
</div>
% endif
% endif

% if not t:
<h2>Preparation</h2>
% for each in r["preflights"]:
<h3>sidb preflight --${each["action"]}, ${moment(each["at"])}</h3>
${checks(each["findings"])}\
% endfor
% if not r["preflights"]:
<p>No <code>sidb preflight --prepare</code> is recorded.</p>
% endif
<p>Settings raised and not put back: ${"; ".join(r["raised"]) or "none"}.</p>
% endif

<h2>Phase 1's rows</h2>
<div class="wide"><table>
<tr><th>niches in <code>features</code></th><th class="num">rows</th></tr>
<tr><td>before the upgrade (${moment(r["rows"]["before_at"])})</td>${num("rollout.rows.before", count)}</tr>
<tr><td>now</td>${num("rollout.rows.now", count)}</tr>
</table></div>

% if r["backfill"]:
<h2>Backfill</h2>
<div class="wide"><table>
<tr><th>job</th><th>state</th><th class="num">rows</th><th class="num">left</th><th class="num">written</th><th class="num">there already</th><th class="num">set aside</th><th class="num">rows a second</th><th class="num">time left</th></tr>
% for i, job in enumerate(r["backfill"]["jobs"]):
<tr class="${"lost" if job["error"] else ""}"><td class="name">${job["job"]}</td><td>${job["state"]}${": " + job["error"] if job["error"] else ""}</td>${num(f"rollout.backfill.jobs.{i}.rows", count)}${num(f"rollout.backfill.jobs.{i}.left", count)}${num(f"rollout.backfill.jobs.{i}.written", count)}${num(f"rollout.backfill.jobs.{i}.present", count)}${num(f"rollout.backfill.jobs.{i}.set_aside", count)}${num(f"rollout.backfill.jobs.{i}.rate", count)}${num(f"rollout.backfill.jobs.{i}.seconds_left", seconds)}</tr>
% endfor
</table></div>
<p>Deadline ${moment(r["backfill"]["deadline"])} UTC\
% if r["backfill"]["late"]:
; at the present rate it will be missed by ${duration(r["backfill"]["late"])}\
% endif
. The rate counts the time that workers worked or rested for the application.</p>
% if r["backfill"]["files"]:
<div class="wide"><table>
<tr><th>file loaded</th><th class="num">records</th><th class="num">rejected</th><th>from</th><th>to</th></tr>
% for i, file in enumerate(r["backfill"]["files"]):
<tr><td class="long">${file["name"]}</td>${num(f"rollout.backfill.files.{i}.records", count)}${num(f"rollout.backfill.files.{i}.rejected", count)}<td>${moment(file["started"])}</td><td>${moment(file["finished"])}</td></tr>
% endfor
</table></div>
% endif
% if r["backfill"]["pauses"]:
<div class="wide"><table>
<tr><th>held back for</th><th class="num">times</th><th class="num">in all</th></tr>
% for i, pause in enumerate(r["backfill"]["pauses"]):
<tr><td>${pause["reason"].replace("_", " ")}</td>${num(f"rollout.backfill.pauses.{i}.times", count)}${num(f"rollout.backfill.pauses.{i}.seconds", seconds)}</tr>
% endfor
</table></div>
% endif
% endif
% if t:
${traffic.backfilled()}
% endif
% if r["sizes"]:
<h2>Sizes</h2>
<% was = {each["relation"]: each["data_bytes"] + each["index_bytes"] for each in t["notes"]["sizes_before"]} if t else {} %>\
<div class="wide"><table>
<tr><th>relation</th><th class="num">rows (estimate)</th>\
% if t:
<th class="num">before</th>\
% endif
<th class="num">data</th><th class="num">indexes</th></tr>
% for i, relation in enumerate(r["sizes"]):
<tr><td>${relation["relation"]}</td>${num(f"rollout.sizes.{i}.rows", count)}\
% if t:
<td class="num">${size(was[relation["relation"]]) if relation["relation"] in was else "–"}</td>\
% endif
${num(f"rollout.sizes.{i}.data_bytes", size)}${num(f"rollout.sizes.{i}.index_bytes", size)}</tr>
% endfor
</table></div>
% endif
% if r["growth"] and not t:
<div class="wide"><table>
<tr><th>the new tables, ${duration(r["growth"]["days"] * 86400)} after the upgrade</th><th class="num">rows</th><th class="num">size</th></tr>
<tr><td>as they are</td>${num("rollout.growth.rows", count)}${num("rollout.growth.bytes", size)}</tr>
<tr><td>the plan's forecast${" for the first month" if r["growth"]["days"] < 30 else ""}</td>${num("rollout.growth.planned_rows", count)}${num("rollout.growth.planned_bytes", size)}</tr>
</table></div>
% endif
% if t:
${traffic.forecast()}
${traffic.readers()}
% endif
<h2>Checks</h2>
% for each in r["looked"]:
<h3>${each["command"]}</h3>
% if each["error"]:
<p class="unknown">${each["error"]}</p>
% elif not each["findings"]:
<p>Nothing to look at.</p>
% endif
${checks(each["findings"])}\
% endfor

% if r["rollbacks"]:
<h2>Rollbacks</h2>
<div class="wide"><table>
<tr><th>from</th><th>to</th><th>phase</th><th>started</th><th>finished</th><th>archive</th></tr>
% for back in r["rollbacks"]:
<% kept = [each for each in r["archives"] if each["archive"] == back["rollback_id"]] %>\
<tr><td>${back["origin"]}</td><td>${back["target"]}</td><td>${back["phase"]}</td><td>${moment(back["started"])}</td><td>${moment(back["finished"])}</td><td class="long">${"; ".join(f'{each["tables"]} tables, {size(each["bytes"])}, {each["restored"]} restored' for each in kept) or "–"}</td></tr>
% endfor
</table></div>
% endif

<h2>Objects of others</h2>
% if r["found"]:
<p>${len(r["found"])} objects on shared tables, or beside them, do not belong to this project and were left alone: ${", ".join(r["found"])}.</p>
% else:
<p>None was found.</p>
% endif

% if r["runs"]:
<h2>Who ran what</h2>
<div class="wide"><table>
<tr><th>what</th><th>started</th><th>until</th><th>role</th><th>from</th><th>version</th></tr>
% for run in r["runs"]:
<tr><td class="long">${run["what"]}</td><td class="name">${moment(run["started"])}</td><td class="name">${moment(run["until"])}</td><td>${run["who"]}</td><td class="long">${run["client"]}</td><td>${run["code_version"] or "–"}</td></tr>
% endfor
</table></div>
% endif

% if t:
${traffic.statements()}
% endif
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

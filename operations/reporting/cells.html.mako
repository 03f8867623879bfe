## Cells and tables that every part of the page uses.
<%def name="num(path, form)"><td class="num" data-of="${path}">${form(pick(path))}</td></%def>\
<%def name="lock(mode)">${mode.removesuffix("Lock")}</%def>\
<%def name="checks(findings)">
% if findings:
<table class="gates">
<tr class="head"><th>check</th><th>verdict</th><th>what was found</th></tr>
% for check in findings:
<tr class="${"lost" if check["verdict"] == "failed" else ""}"><td class="name">${check["check"]}</td><td class="${check["verdict"]}">${check["verdict"]}</td><td class="detail said">${marked(check["detail"]) | n}</td></tr>
% endfor
</table>
% endif
</%def>

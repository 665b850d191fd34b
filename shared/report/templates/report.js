"use strict";
// Lists, filters and unfolds the findings. Every word of them goes in as text, never as markup.
(() => {
  const all = JSON.parse(document.getElementById("data").textContent);
  const get = (id) => document.getElementById(id);
  const [rows, more, count, q, severity, status] = ["rows", "more", "count", "q", "severity", "status"].map(get);
  const STEP = 200;
  let found = [], shown = 0;
  for (const f of all) f.hay = [f.title, f.rule, f.asset, f.account, f.region, f.id, ...f.controls].join(" ").toLowerCase();

  const el = (name, text, cls) => {
    const e = document.createElement(name);
    if (text !== undefined) e.textContent = text;
    if (cls) e.className = cls;
    return e;
  };
  const cell = (tr, child) => tr.appendChild(el("td")).appendChild(child);

  function unfold(f) {
    const tr = el("tr", undefined, "more"), td = tr.appendChild(el("td")), dl = td.appendChild(el("dl"));
    td.colSpan = 6;
    const say = (what, text) => { dl.appendChild(el("dt", what)); dl.appendChild(el("dd", text)); };
    for (const r of f.readings) say("Read", r.at + " = " + r.found + ", expected " + r.expected + " (" + r.source + ")");
    say("Fix", f.fix);
    if (f.action) say("Action", f.action);
    if (f.controls.length) say("Controls", f.controls.join(", "));
    if (f.waiver) say("Waived", "by " + f.waiver.owner + " until " + f.waiver.until + ": " + f.waiver.reason);
    say("Rule", f.rule);
    say("Explain", "picket explain " + f.id);
    return tr;
  }

  function row(f) {
    const tr = el("tr"), button = el("button", f.title);
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    let open = null;
    button.addEventListener("click", () => {
      if (open) { open.remove(); open = null; } else { open = unfold(f); tr.after(open); }
      button.setAttribute("aria-expanded", String(Boolean(open)));
    });
    cell(tr, el("span", f.severity, "badge " + f.severity));
    cell(tr, button);
    cell(tr, el("code", f.asset));
    cell(tr, el("span", f.account + (f.region ? " · " + f.region : ""), "keep"));
    cell(tr, el("span", f.since, "keep"));
    cell(tr, el("span", f.status));
    return tr;
  }

  function show(upTo) {
    const part = document.createDocumentFragment();
    for (; shown < Math.min(upTo, found.length); shown++) part.appendChild(row(found[shown]));
    rows.appendChild(part);
    more.hidden = shown >= found.length;
    count.textContent = found.length === all.length ? found.length + " findings" : found.length + " of " + all.length + " findings";
  }

  function filter() {
    const words = q.value.toLowerCase().split(/\s+/).filter(Boolean);
    found = all.filter((f) => (!severity.value || f.severity === severity.value)
      && (!status.value || f.status === status.value) && words.every((w) => f.hay.includes(w)));
    rows.replaceChildren();
    shown = 0;
    show(STEP);
  }

  get("filters").addEventListener("submit", (e) => e.preventDefault());
  for (const e of [q, severity, status]) e.addEventListener("input", filter);
  more.addEventListener("click", () => show(shown + STEP));
  addEventListener("beforeprint", () => {
    show(Infinity);
    for (const d of document.querySelectorAll("details")) d.open = true;
  });
  filter();
})();

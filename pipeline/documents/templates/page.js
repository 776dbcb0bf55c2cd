"use strict";
// The page is whole without this script, which adds filters, sorting and the panel of a department.
// The address after # is the state: a control changes the address, and the page is drawn from the address.
(function () {
  const FOLD = 12; // rows of a series shown at first where it has a few more than that
  const EMPTY = { source: "", period: "", issue: "", series: "", show: "", find: "", sort: "", department: "", label: "" };

  function make(tag, attributes, ...children) {
    const drawn = ["svg", "rect", "text"].includes(tag);
    const element = drawn ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    Object.keys(attributes).forEach((name) => element.setAttribute(name, attributes[name]));
    element.append(...children);
    return element;
  }

  function button(attributes, text, pressed) {
    const made = make("button", Object.assign({ type: "button" }, attributes), text);
    if (pressed) { made.addEventListener("click", pressed); }
    return made;
  }

  // ---- sorting: a button in each header; rows keep within their part of the table

  function headers(table) { return Array.from(table.tHead.rows[0].cells); }

  function rowsOf(body) { return Array.from(body.rows).filter((row) => row.dataset.n); }

  function sortable(table, chosen) {
    headers(table).forEach(function (head, column) {
      const made = button({ class: "sort" }, "", function () {
        chosen(column, column === 0 || head.getAttribute("aria-sort") === "descending");
      });
      made.append(...head.childNodes);
      head.append(made);
    });
  }

  function valueOf(cell) {
    const text = cell.textContent.trim();
    return /^[\d.]+%?( |$)/.test(text) ? parseFloat(text) : -1;
  }

  // the first column stands for the order in which the rows were given
  function sort(table, column, rising) {
    headers(table).forEach(function (head, number) {
      if (number === column) { head.setAttribute("aria-sort", rising ? "ascending" : "descending"); } else { head.removeAttribute("aria-sort"); }
    });
    const key = (row) => (column === 0 ? Number(row.dataset.n) : valueOf(row.cells[column]));
    const compare = (one, two) => (rising ? 1 : -1) * (key(one) - key(two)) || one.dataset.n - two.dataset.n;
    for (const body of table.tBodies) {
      const rows = rowsOf(body), sorted = rows.slice().sort(compare);
      if (sorted.some((row, number) => row !== rows[number])) { sorted.forEach((row) => body.insertBefore(row, body.querySelector(".more"))); }
    }
  }

  document.querySelectorAll("table.sortable").forEach(function (table) {
    Array.from(table.tBodies[0].rows).forEach((row, number) => { row.dataset.n = String(number); });
    sortable(table, (column, rising) => sort(table, column, rising));
  });

  // ---- the state of the drill-down

  const table = document.getElementById("heat");
  if (!table) { return; }
  const data = JSON.parse(document.getElementById("data").textContent);
  const tools = document.getElementById("tools"), status = document.getElementById("status"), panel = document.getElementById("panel");
  const ALL = data.labels.length; // stands for all opinions, beside the numbers of the labels
  const codes = data.labels.map((label) => label.code);
  const columns = headers(table).slice(1).map((head) => (head.dataset.label ? codes.indexOf(head.dataset.label) : ALL));
  const open = new Set(); // parts of the table that are not folded
  let state = EMPTY, drawn = "";

  function address(change) {
    const next = Object.assign({}, state, change);
    return "#" + (Object.keys(next).filter((name) => next[name]).map((name) => name + "=" + encodeURIComponent(next[name])).join("&") || "all");
  }

  function go(change, method = "pushState") {
    window.history[method](null, "", address(change));
    read();
  }

  function read() {
    const words = window.location.hash.slice(1), given = new URLSearchParams(words);
    if (words && words !== "all" && !words.includes("=")) { return; } // an anchor of the page
    state = {};
    Object.keys(EMPTY).forEach((name) => { state[name] = given.get(name) || ""; });
    for (const control of tools.querySelectorAll("[name]")) {
      control.value = state[control.name];
      state[control.name] = control.value; // "" where there is no such choice
    }
    draw();
    showPanel();
  }

  function chosen() { return { source: data.sources.indexOf(state.source), period: data.periods.indexOf(state.period) }; }

  function filters() { return [state.source, data.period_names[chosen().period]].filter(Boolean); }

  // distinct opinions about a department by label, from a source and in a period (by number, -1: any)
  function count(d, source, period) {
    const found = new Array(ALL + 1).fill(0), cube = data.departments[d].cube;
    for (let at = 0; at < cube.length; at += 4) {
      if ((source < 0 || cube[at + 1] === source) && (period < 0 || cube[at + 2] === period)) { found[cube[at]] += cube[at + 3]; }
    }
    return found;
  }

  // share and interval in per cent: the tables' own of the whole, the score interval (Wilson 1927) of a part
  function share(d, label, k, n) {
    const whole = data.departments[d].shares[label];
    if (!filters().length && whole) { return whole; }
    const z = 1.959963984540054, p = k / n, centre = p + z * z / (2 * n), scale = 1 + z * z / n;
    const spread = z * Math.sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    return [p, k === 0 ? 0 : (centre - spread) / scale, k === n ? 1 : (centre + spread) / scale].map((part) => 100 * part);
  }

  function percent(value) { return value.toFixed(1) + "%"; }

  // ---- the table of departments

  function draw() {
    const key = address({ department: "", label: "" });
    if (key === drawn) { return; }
    drawn = key;
    const from = chosen(), issue = codes.indexOf(state.issue), counted = issue < 0 ? ALL : issue;
    let departments = 0, opinions = 0;
    headers(table).slice(1).forEach((head, place) => { head.hidden = issue >= 0 && ![issue, ALL].includes(columns[place]); });
    for (const body of table.tBodies) {
      const rows = rowsOf(body), compared = body.dataset.series !== undefined;
      const found = rows.map((row) => count(row.dataset.n, from.source, from.period));
      const largest = Math.max(0, ...found.map((one) => Math.max(0, ...one.filter((_, label) => isIssue(label)))));
      rows.forEach(function (row, number) {
        const department = data.departments[row.dataset.n], one = found[number];
        columns.forEach((label, place) => write(row.cells[place + 1], row.dataset.n, label, one, compared ? largest : 0, issue));
        row.hidden = !one[counted] || (state.series && department.series !== state.series) || !department.name.includes(state.find.trim());
        departments += compared && !row.hidden ? 1 : 0;
        opinions += row.hidden ? 0 : one[counted];
      });
      body.hidden = rows.every((row) => row.hidden);
    }
    const place = columns.indexOf(codes.indexOf(state.sort.replace("-", "")));
    if (state.sort === "0") { sort(table, 0, true); } else { sort(table, place < 0 ? columns.length : place + 1, state.sort[0] === "-"); }
    fold();
    say(departments, opinions, data.labels[issue]);
  }

  function isIssue(label) { return label < ALL && data.labels[label].kind === "issue"; }

  function write(cell, d, label, found, largest, issue) {
    const k = found[label], n = found[ALL];
    let text = String(k);
    if (state.show && label < ALL && k) { text = n < data.small ? k + "/" + n : percent(share(d, label, k, n)[0]); }
    cell.hidden = issue >= 0 && label !== issue && label !== ALL;
    if (isIssue(label)) { cell.className = !k ? "s0" : largest ? "s" + Math.min(5, 1 + Math.floor(4.999 * k / largest)) : ""; }
    cell.textContent = k ? "" : text;
    if (!k) { return; }
    const what = label < ALL ? data.labels[label].name : "有效意见", code = label < ALL ? codes[label] : "";
    const words = data.departments[d].name + "，" + what + " " + text + (state.show ? "" : " 件");
    cell.append(button({ tabindex: "-1", "aria-label": words, "data-d": d, "data-label": code }, text));
  }

  function fold() {
    for (const body of table.tBodies) {
      const rows = rowsOf(body).filter((row) => !row.hidden), more = body.querySelector(".more");
      const folded = rows.length > FOLD + 3 && !open.has(body) && !state.find;
      if (more) { more.remove(); }
      rows.forEach((row, number) => row.classList.toggle("folded", folded && number >= FOLD));
      if (!folded) { continue; }
      const all = button({}, "显示全部 " + rows.length + " 个部门", function () {
        open.add(body);
        fold();
        rows[FOLD].querySelector("a").focus();
      });
      body.append(make("tr", { class: "more" }, make("td", { colspan: columns.length + 1 }, all)));
    }
  }

  function say(departments, opinions, issue) {
    const said = filters(), find = state.find.trim();
    if (issue) { said.push(issue.name); }
    if (state.series) { said.push(state.series); }
    if (find) { said.push("名称含“" + find + "”"); }
    const result = departments + " 个部门，" + (issue ? issue.name : "意见") + " " + opinions + " 件（一件说到几个部门的分别计）。";
    status.textContent = (said.length ? "筛选：" + said.join(" · ") : "没有筛选") + "　" + (opinions ? result : "没有符合的部门。");
    status.classList.toggle("filtered", said.length > 0);
  }

  // ---- the panel of a department

  function showPanel() {
    const d = data.departments.findIndex((department) => department.name === state.department);
    if (d >= 0) {
      fillPanel(d, data.departments[d], codes.indexOf(state.label) < 0 ? ALL : codes.indexOf(state.label));
      if (panel.open) { panel.querySelector("[aria-pressed=true]").focus(); } else { panel.showModal(); }
    } else if (panel.open) { panel.close(); }
  }

  function fillPanel(d, department, label) {
    const from = chosen(), said = filters(), found = count(d, from.source, from.period), about = data.labels[label];
    const sum = "有效意见 " + found[ALL] + " 件";
    const parts = " · 反映问题 " + department.issue + " · 表扬 " + department.praise + (department.review ? " · 待复核 " + department.review : "");
    const hints = about ? [about.about, "建议：" + about.remedy] : [];
    if (found[ALL] < data.small) { hints.push("意见不足 " + data.small + " 件，比例仅供参考，宜逐件阅读。"); }
    if (said.length) { hints.push("筛选后的占比和区间只按件数计算，没有校正程序的漏判误判。"); }
    const of = found[ALL] ? share(d, label, found[label], found[ALL]).map(percent) : null;
    const line = of ? "，估计占 " + of[0] + "（95% 区间 " + of[1] + "–" + of[2] + "）" : "";
    const title = about ? about.name : "全部意见";
    panel.textContent = "";
    panel.append(
      button({ class: "close" }, "关闭", () => panel.close()),
      make("h2", { id: "panel-title" }, department.name, make("small", {}, department.series)),
      make("p", { class: said.length ? "status filtered" : "status" }, said.length ? "筛选：" + said.join(" · ") + "　" + sum : sum + parts),
      make("h3", {}, title),
      make("p", { class: "sum" }, make("b", {}, found[label] + " 件"), about ? line : ""),
      ...hints.map((hint) => make("p", { class: "hint" }, hint)),
      make("div", { class: "charts " + (about ? about.kind : "") },
        chart(title + "，按来源", data.sources, data.sources.map((_, source) => count(d, source, from.period)[label]), from.source),
        chart(title + "，按时间", data.period_names, data.periods.map((_, period) => count(d, from.source, period)[label]), from.period)),
      make("div", { class: "scroll", tabindex: "0" }, labelTable(d, found, label, from.period)),
    );
  }

  function labelTable(d, found, label, period) {
    const sources = data.sources.length > 1 ? data.sources : [];
    const bySource = sources.map((_, source) => count(d, source, period));
    const present = codes.map((_, number) => number).filter((number) => found[number] || number === label);
    const rows = [ALL, ...present.sort((one, two) => found[two] - found[one])].map(function (number, place) {
      const of = number < ALL && found[ALL] ? share(d, number, found[number], found[ALL]).map(percent) : null;
      const name = number < ALL ? data.labels[number].name : "全部意见";
      const choose = button({ "aria-pressed": number === label }, name, () => go({ label: codes[number] || "" }));
      const cells = [found[number], of ? of[0] : "—", of ? of[1] + "–" + of[2] : "—", ...bySource.map((one) => one[number])];
      return make("tr", { "data-n": place }, make("th", { scope: "row" }, choose), ...cells.map((text) => make("td", {}, String(text))));
    });
    const heads = ["类别", "件数", "估计占比", "95% 区间", ...sources].map((name) => make("th", { scope: "col" }, name));
    const made = make("table", {}, make("caption", {}, "各类别件数（点类别看它的来源和时间）"), make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows));
    sortable(made, (column, rising) => sort(made, column, rising));
    return made;
  }

  function chart(title, names, values, marked) {
    const step = names.length > 8 ? 36 : 60, width = step * names.length, largest = Math.max(1, ...values);
    const words = title + "：" + names.map((name, place) => name + " " + values[place] + " 件").join("，");
    const drawing = make("svg", { viewBox: "0 0 " + width + " 124", width: width, height: 124, role: "img", "aria-label": words });
    let year = "";
    names.forEach(function (name, place) {
      const tall = 68 * values[place] / largest, middle = (place + 0.5) * step, parts = /^(\d+年)(\d+月)$/.exec(name) || [name, "", name];
      drawing.append(
        make("rect", { x: place * step + 6, y: 86 - tall, width: step - 12, height: tall, class: marked < 0 || marked === place ? "amount" : "amount other" }),
        make("text", { x: middle, y: 80 - tall }, String(values[place])),
        make("text", { x: middle, y: 102, class: "name" }, parts[2]),
        make("text", { x: middle, y: 118, class: "name" }, parts[1] === year ? "" : parts[1]),
      );
      year = parts[1];
    });
    return make("figure", {}, make("figcaption", {}, title), make("div", { class: "scroll" }, drawing));
  }

  // ---- controls

  function move(event) {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const cell = event.target.closest("td, th");
    if (!step || !cell) { return; }
    event.preventDefault();
    const rows = Array.from(table.rows).filter((row) => row.offsetParent && row.cells.length > 1);
    let y = rows.indexOf(cell.parentNode), x = cell.cellIndex, target = null;
    while (!target && rows[y += step[0]] && rows[y].cells[x += step[1]]) { // on to the next cell with something to open
      target = rows[y].cells[x].hidden ? null : rows[y].cells[x].querySelector("button, a");
    }
    if (target) { target.focus(); }
  }

  tools.append(button({}, "重置", function () {
    open.clear();
    go({ source: "", period: "", issue: "", series: "", find: "" });
  }));
  tools.addEventListener("input", (event) => go({ [event.target.name]: event.target.value }, event.target.type === "search" ? "replaceState" : "pushState"));
  tools.addEventListener("keydown", function (event) {
    const rows = Array.from(table.querySelectorAll("tr[data-n]")).filter((row) => !row.hidden);
    if (event.key === "Enter" && event.target.name === "find" && rows.length === 1) {
      event.preventDefault(); // or it would press the panel's button, which has the focus then
      rows[0].querySelector("a").click();
    }
  });
  table.addEventListener("keydown", move);
  sortable(table, (column, rising) => go({ sort: column === 0 ? "0" : (rising ? "-" : "") + (codes[columns[column - 1]] || "") }));
  document.addEventListener("click", function (event) {
    const one = event.target.closest("[data-d]");
    if (!one) { return; }
    event.preventDefault();
    go({ department: data.departments[one.dataset.d].name, label: one.dataset.label || "" });
  });
  panel.addEventListener("close", () => { if (state.department) { go({ department: "", label: "" }); } });
  panel.addEventListener("click", (event) => { if (event.target === panel) { panel.close(); } }); // beside it
  window.addEventListener("hashchange", read);
  tools.hidden = status.hidden = false;
  document.documentElement.className = "scripted-page";
  read();
})();

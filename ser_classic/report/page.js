"use strict";
// Without this every table is there, whole and ranked. With it tables sort, long ones are cut until asked for,
// pictures grow on a phone, and the leaderboard is searched, filtered, unfolded, linked to and copied.
const SHOWN = 10, WHOLE = 20;  // rows of a long table, and of one not worth cutting
const FIRST = 5;  // rows of a ranking until all are asked for
const NARROW = 340;  // [px]; what is drawn no wider is legible on any phone

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function valueOf(row, column) {
  const cell = row.cells[column];
  const text = cell?.dataset.value ?? cell?.textContent.trim() ?? "";
  const parts = text.match(/^([≈−+]*)([\d.]+)( min)?/);
  if (cell?.dataset.value === undefined && parts)
    return Number(parts[2]) * (parts[1].includes("−") ? -1 : 1) * (parts[3] ? 60 : 1);
  return text === "" || text === "–" || isNaN(text) ? (text === "–" ? "" : text) : Number(text);
}

function compared(a, b) {
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}

// Sort the rows of every body by themselves: what is unknown stays at the end.
function sort(table, heading, after) {
  const before = heading.getAttribute("aria-sort");
  const ascending = heading.classList.contains("number") && heading.textContent !== "#" ? before === "descending" : before !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const column = heading.cellIndex;
  for (const body of table.tBodies) {
    const rows = [...body.rows].filter(row => !row.matches(".ranking, .detail, .foot"));
    const late = row => row.matches(".failed, .stale") || valueOf(row, column) === "";
    rows.sort((one, two) => late(one) - late(two)
      || (ascending ? 1 : -1) * compared(valueOf(one, column), valueOf(two, column)));
    const foot = body.querySelector(".foot");
    for (const row of rows) {
      const detail = row.nextElementSibling?.matches(".detail") ? row.nextElementSibling : null;
      body.insertBefore(row, foot);
      if (detail) body.insertBefore(detail, foot);
    }
  }
  after();
}

function sortable(table, after) {
  for (const heading of table.tHead.rows[0].cells) {
    if (!heading.textContent) continue;
    const button = element("button", {type: "button"}, ...heading.childNodes);
    button.addEventListener("click", () => sort(table, heading, after));
    heading.append(button);
  }
}

for (const table of document.querySelectorAll("table.sortable")) {
  const cut = () => [...table.tBodies[0].rows].forEach((row, place) => row.classList.toggle("beyond", !table.dataset.all && place >= SHOWN));
  sortable(table, cut);
  const rows = table.tBodies[0].rows.length;
  if (rows <= WHOLE) { table.dataset.all = "yes"; continue; }
  const more = element("button", {class: "more", type: "button"});
  const named = () => { more.textContent = table.dataset.all ? "show fewer" : `show all ${rows}`; };
  more.addEventListener("click", () => {
    if (table.dataset.all) delete table.dataset.all; else table.dataset.all = "yes";
    cut();
    named();
  });
  table.closest(".scroll").after(more);
  cut();
  named();
}

for (const drawn of document.querySelectorAll("figure svg")) {
  if (parseFloat(drawn.style.getPropertyValue("--width")) <= NARROW) continue;
  const larger = element("button", {class: "more larger", type: "button"});
  const named = () => { larger.textContent = drawn.classList.contains("large") ? "show whole" : "show larger"; };
  larger.addEventListener("click", () => { drawn.classList.toggle("large"); named(); });
  drawn.closest(".scroll").after(larger);
  named();
}

const all = document.getElementById("all");
if (all) leaderboard(all, document.getElementById("filters"), JSON.parse(document.getElementById("unfolded").textContent));

function leaderboard(table, form, unfolded) {
  const bodies = [...table.tBodies];
  const systemsOf = body => [...body.rows].filter(row => row.id);
  const text = (row, column) => row.cells[column].textContent;
  const facts = row => ({...row.parentNode.dataset, features: text(row, 1), model: text(row, 2)});

  const values = {corpus: new Set(), track: new Set(), protocol: new Set(), features: new Set(), model: new Set()};
  for (const body of bodies) {
    for (const row of systemsOf(body)) for (const [name, value] of Object.entries(facts(row))) values[name]?.add(value);
    const more = element("button", {class: "more", type: "button"});
    more.addEventListener("click", () => {
      if (body.dataset.all) delete body.dataset.all; else body.dataset.all = "yes";
      show();
    });
    body.append(element("tr", {class: "foot"}, element("td", {colspan: table.tHead.rows[0].cells.length}, more)));
  }
  for (const [name, found] of Object.entries(values))
    for (const value of name === "track" ? found : [...found].sort())
      form.elements[name].append(element("option", {value}, value));
  form.elements.others.closest("label").hidden = !table.querySelector("[data-source]");
  form.hidden = false;

  function wanted(row) {
    const of = facts(row), words = form.elements.search.value.toLowerCase().split(/[\s+]+/).filter(Boolean);
    const whole = Object.values(of).join(" ").toLowerCase();
    return words.every(word => whole.includes(word))
      && Object.keys(values).every(name => !form.elements[name].value || form.elements[name].value === of[name])
      && (form.elements.others.checked || !row.dataset.source);
  }

  // Rows that are wanted, of each ranking the first few until all are asked for; an open row stays in sight.
  function show() {
    let systems = 0, rankings = 0;
    for (const body of bodies) {
      let seen = 0;
      for (const row of systemsOf(body)) {
        const kept = wanted(row);
        if (kept) seen += 1;
        row.hidden = !kept || (!body.dataset.all && seen > FIRST && !row.classList.contains("open"));
        if (row.nextElementSibling?.matches(".detail")) row.nextElementSibling.hidden = row.hidden;
      }
      systems += seen;
      rankings += seen > 0;
      body.hidden = !seen;
      const foot = body.querySelector(".foot");
      foot.hidden = seen <= FIRST;
      foot.querySelector("button").textContent = body.dataset.all ? "show fewer" : `show all ${seen}`;
    }
    form.querySelector("output").textContent = systems
      ? `${systems} systems in ${rankings} ranking${rankings === 1 ? "" : "s"}` : "no system fits these filters";
  }

  function matrix(emotions, counts) {
    const size = emotions.length, cell = (row, column) => counts[row * size + column];
    const head = element("tr", {}, element("th"), element("th", {}, "clips"));
    for (const word of emotions) head.append(element("th", {scope: "col"}, word.slice(0, 4)));
    head.append(element("th", {}, "recall"));
    const body = element("tbody");
    emotions.forEach((word, row) => {
      const total = emotions.reduce((sum, _, column) => sum + cell(row, column), 0);
      const line = element("tr", {}, element("th", {scope: "row"}, word), element("td", {class: "plain"}, String(total)));
      emotions.forEach((guess, column) => {
        const count = cell(row, column), part = total ? count / total : 0;
        line.append(element("td", {
          class: part > .655 ? "full" : "", style: `--share:${Math.round(100 * part)}%`,
          title: `${word}, guessed as ${guess}: ${count} of ${total}`,
        }, count ? share(part) : ""));
      });
      line.append(element("td", {class: "plain"}, total ? share(cell(row, row) / total, 3) : "–"));
      body.append(line);
    });
    return element("table", {class: "confusions"}, element("thead", {}, head), body);
  }

  function share(value, digits = 2) {
    const text = value.toFixed(digits);
    return Number(text) === 0 ? "0" : Number(text) === 1 ? "1" : text.replace("0.", ".");
  }

  function speakers(names, uars) {
    const each = names.map((name, place) => [name, uars[place] / 1000]).sort((a, b) => b[1] - a[1]);
    const strip = element("div", {class: "speakers"});
    for (const [name, uar] of each)
      strip.append(element("span", {style: `--v:${100 * uar}`, title: `${name || "all"}: ${share(uar, 3)}`}));
    const [best, worst] = [each[0], each[each.length - 1]];
    return element("div", {}, element("h4", {}, `UAR of each of ${each.length} speakers`), strip,
      element("p", {class: "muted"}, `from ${share(worst[1])} (${worst[0]}) to ${share(best[1])} (${best[0]})`));
  }

  function unfold(row) {
    if (row.classList.contains("open")) return;
    row.classList.add("open");
    const [number, counts, group, uars] = unfolded.rows[row.id] ?? [];
    const inside = element("div", {class: "inside"});
    if (counts) {
      inside.append(element("div", {}, element("h4", {}, "Confusion matrix"),
        element("div", {class: "scroll"}, matrix(unfolded.emotions[number], counts.split(" ").map(Number))),
        element("p", {class: "muted"}, "Rows: the true emotion, with its clips; columns: the share of each guess. Blank: never; 0: fewer than one clip in 200.")));
      if (uars) inside.append(speakers(unfolded.speakers[group], uars.split(" ")));
    } else inside.append(element("p", {}, row.classList.contains("failed") ? text(row, 3) : "No predictions as they would be made today."));
    const link = element("a", {href: `#${row.id}`}, "link to this row");
    inside.append(element("p", {class: "muted"}, `Stored as runs/${row.id}--SEED · `, link));
    row.after(element("tr", {class: "detail"}, element("td", {colspan: table.tHead.rows[0].cells.length}, inside)));
  }

  function fold(row) {
    row.classList.remove("open");
    if (row.nextElementSibling?.matches(".detail")) row.nextElementSibling.remove();
  }

  const rowOf = hash => { const found = hash && document.getElementById(decodeURIComponent(hash.slice(1))); return found && table.contains(found) ? found : null; };
  let last = null;  // the row to which the address leads

  function follow() {
    const row = rowOf(location.hash);
    if (last && last !== row) fold(last);
    if (row) {
      if (!wanted(row)) form.reset();
      unfold(row);
    }
    last = row;
    show();
    row?.scrollIntoView();
  }

  table.addEventListener("click", event => {
    const row = event.target.closest("tr[id]");
    if (!row || getSelection().toString()) return;
    if (row.classList.contains("open")) {
      fold(row);
      if (last === row) { last = null; history.pushState(null, "", "#"); }
    } else {
      unfold(row);
      last = row;
      history.pushState(null, "", `#${encodeURIComponent(row.id)}`);
    }
    show();
  });
  table.addEventListener("keydown", event => {
    if (event.key === "Enter" && event.target.matches("tr[id]")) event.target.click();
  });
  for (const body of bodies) for (const row of systemsOf(body)) row.tabIndex = 0;

  form.elements.csv.addEventListener("click", async () => {
    const quoted = value => /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
    const columns = [...table.tHead.rows[0].cells].map(cell => cell.textContent);
    const kept = columns.map((name, place) => name ? place : -1).filter(place => place >= 0);
    const lines = [["corpus", "track", "protocol", ...kept.map(place => columns[place])]];
    for (const body of bodies) for (const row of systemsOf(body).filter(wanted)) {
      const {corpus, track, protocol} = body.dataset;
      lines.push([corpus, track, protocol, ...kept.map(place => row.cells[place]?.textContent ?? "")]);
    }
    await copy(lines.map(line => line.map(quoted).join(",")).join("\n") + "\n");
    form.querySelector("output").textContent = `${lines.length - 1} rows copied`;
  });

  async function copy(words) {
    if (navigator.clipboard) return navigator.clipboard.writeText(words);
    const area = element("textarea", {}, words);  // where the browser has no clipboard for pages from a disk
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  form.addEventListener("input", show);
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(show));
  addEventListener("popstate", follow);
  sortable(table, show);
  follow();
}

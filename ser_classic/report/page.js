"use strict";
// Sorting by a click on a heading, long tables cut until asked for, and pictures enlarged on a phone. Without this
// all rows are there, ranked, and all pictures, whole.
const SHOWN = 10, WHOLE = 15;  // rows of a long table, and of one not worth cutting
const NARROW = 340;  // [px]; what is drawn no wider is legible on any phone

function valueOf(row, column) {
  const cell = row.cells[column];
  const value = cell.dataset.value ?? cell.textContent.trim();
  return value === "" || isNaN(value) ? value : Number(value);
}

function compared(a, b) {
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}

function sort(table, heading) {
  const before = heading.getAttribute("aria-sort");
  const ascending = heading.classList.contains("number") ? before === "descending" : before !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const column = heading.cellIndex;
  const rows = [...table.tBodies[0].rows];
  rows.sort((one, two) => {
    const a = valueOf(one, column), b = valueOf(two, column);
    if (a === "" || b === "") return (a === "") - (b === "");  // what is unknown stays at the end
    return ascending ? compared(a, b) : compared(b, a);
  });
  table.tBodies[0].append(...rows);
  cut(table);
}

function cut(table) {
  [...table.tBodies[0].rows].forEach((row, place) => row.classList.toggle("beyond", !table.dataset.all && place >= SHOWN));
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const heading of table.tHead.rows[0].cells) {
    if (!heading.textContent) continue;
    const button = document.createElement("button");
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sort(table, heading));
    heading.append(button);
  }
  const rows = table.tBodies[0].rows.length;
  if (rows <= WHOLE) { table.dataset.all = "yes"; continue; }
  const more = document.createElement("button");
  more.className = "more";
  const named = () => { more.textContent = table.dataset.all ? "show fewer" : `show all ${rows}`; };
  more.addEventListener("click", () => {
    if (table.dataset.all) delete table.dataset.all; else table.dataset.all = "yes";
    cut(table);
    named();
  });
  table.closest(".scroll").after(more);
  cut(table);
  named();
}

for (const drawn of document.querySelectorAll("figure svg")) {
  if (parseFloat(drawn.style.getPropertyValue("--width")) <= NARROW) continue;
  const larger = document.createElement("button");
  larger.className = "more larger";
  const named = () => { larger.textContent = drawn.classList.contains("large") ? "show whole" : "show larger"; };
  larger.addEventListener("click", () => { drawn.classList.toggle("large"); named(); });
  drawn.closest(".scroll").after(larger);
  named();
}

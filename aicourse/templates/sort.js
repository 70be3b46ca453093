"use strict";
// A button in a column's heading sorts the table by it: by the cells' `data-key`, else by their text.
for (const button of document.querySelectorAll("thead button")) {
  const heading = button.parentElement, column = heading.cellIndex, body = button.closest("table").tBodies[0];
  const key = (row) => row.cells[column].dataset.key ?? row.cells[column].textContent;
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  button.addEventListener("click", () => {
    const order = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", order === 1 ? "ascending" : "descending");
    const keyed = [...body.rows].map((row) => [key(row), row]);
    body.append(...keyed.sort((a, b) => order * compare(a[0], b[0])).map((pair) => pair[1]));
  });
}

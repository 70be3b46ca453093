// The form above the cases: words in any cell, a slice, only wrong ones, only those that changed.
{
  const get = (id) => document.getElementById(id), rows = [...document.querySelector("#cases tbody").rows];
  const facts = (row) => row.cells[0].dataset;
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const filter = () => {
    const words = get("words").value.toLowerCase().split(" ").filter(Boolean), slice = get("slice").value;
    let shown = 0;
    for (const row of rows) {
      const fits = words.every((word) => texts.get(row).includes(word))
        && (!slice || JSON.parse(facts(row).slices).includes(slice))
        && (!get("wrong").checked || facts(row).wrong === "True")
        && (!get("changed")?.checked || facts(row).changed === "True");
      row.hidden = !fits;
      shown += fits;
    }
    get("shown").textContent = `${shown} of ${rows.length} shown`;
  };
  get("filter").addEventListener("input", filter);
  get("filter").addEventListener("submit", (event) => event.preventDefault());
  filter();
}

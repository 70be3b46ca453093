"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
let question = data.questions[0], place = 0, given = [];
const answer = () => question.answers[place];
const isOpen = (one) => one.points === null;
const sum = () => given.reduce((total, points) => total + points, 0);
const shown = (number) => String(Math.round(number * 1000) / 1000);

function show() {
  const one = answer();
  given = question.rubric.map((line, index) => one.criteria[index] ?? 0);
  $("answer").textContent = one.answer || "The answer cell is as it was handed out. Look for work elsewhere, below.";
  $("output").textContent = one.output;
  $("printed").hidden = !one.output;
  $("changed").hidden = !one.changed;
  $("comment").value = one.comment;
  $("text").textContent = question.text;
  $("asked").hidden = !question.text;
  $("state").textContent = isOpen(one) ? "" : "Graded: " + shown(one.points);
  drawRubric();
  drawPlace();
  drawNotebook(one);
}
async function drawNotebook(one) {
  $("pictures").replaceChildren();
  $("cells").replaceChildren();
  $("marks").textContent = "Whole notebook";
  $("whole").open = !one.answer;
  let found;
  try {
    const reply = await fetch("notebook?" + one.key);
    if (!reply.ok) throw new Error(await reply.text());
    found = await reply.json();
  } catch (error) {
    found = { cells: [], problem: "The notebook could not be loaded: " + error.message };
  }
  if (one !== answer()) return;
  for (const cell of found.cells) if (cell.question && cell.mark === "changed") cell.mark = "";
  const count = (mark) => found.cells.filter((cell) => cell.mark === mark).length;
  $("marks").textContent = "Whole notebook (added cells: " + count("added") + ", changed: " + count("changed") + ")";
  const mine = found.cells.filter((cell) => cell.question === question.id);
  $("pictures").replaceChildren(...mine.flatMap((cell) => cell.pictures.map(picture)));
  $("cells").replaceChildren(...found.cells.map(drawCell), make("p", found.problem));
}
function make(kind, text, name) {
  const made = document.createElement(kind);
  made.textContent = text;
  if (name) made.className = name;
  return made;
}
function picture(one) {
  const made = make("img", "");
  made.src = "data:" + one.kind + ";base64," + one.data.replace(/\s/g, "");
  made.alt = "A picture in the student's notebook";
  return made;
}
function drawCell(cell) {
  const mine = cell.question === question.id, whose = cell.question ? "answer to " + cell.question : "";
  const made = make("div", "", "cell" + (mine ? " mine" : cell.mark ? " marked" : ""));
  const name = ["Cell " + cell.number, whose, cell.mark].filter(Boolean).join(" · ");
  made.append(make(mine || cell.mark ? "b" : "span", name), make("pre", cell.source));
  if (cell.output) made.append(make("pre", cell.output, "output"));
  made.append(...cell.pictures.map(picture));
  return made;
}
function drawPlace() {
  const graded = question.answers.filter((one) => !isOpen(one)).length, count = question.answers.length;
  $("place").textContent = "Answer " + (place + 1) + " of " + count + ", " + graded + " graded";
  document.querySelector("#bar i").style.width = (100 * graded / count) + "%";
}
function drawRubric() {
  $("rubric").replaceChildren(...question.rubric.map((line, index) => {
    const row = document.createElement("label"), key = document.createElement("kbd");
    const input = document.createElement("input"), text = document.createElement("span");
    row.className = "criterion";
    key.textContent = index + 1;
    input.type = "number"; input.min = 0; input.max = line.points; input.step = 0.5; input.value = shown(given[index]);
    input.addEventListener("input", () => {
      given[index] = Math.min(line.points, Math.max(0, Number(input.value) || 0));
      drawTotal();
    });
    text.textContent = "of " + shown(line.points) + ": " + line.text;
    row.append(key, input, text);
    return row;
  }));
  drawTotal();
}
function drawTotal() { $("total").textContent = shown(sum()) + " of " + shown(question.points) + " points"; }
function go(to) {
  place = (to + question.answers.length) % question.answers.length;
  show();
}
function nextOpen() {
  for (let step = 1; step <= question.answers.length; step += 1) {
    const to = (place + step) % question.answers.length;
    if (isOpen(question.answers[to])) return go(to);
  }
  drawPlace();
  $("state").textContent = "Saved. Every answer to this question has points.";
}
async function save() {
  const one = answer(), grade = { key: one.key, points: sum(), criteria: given, comment: $("comment").value };
  $("state").textContent = "Saving …";
  try {
    const reply = await fetch("grade", { method: "POST", body: JSON.stringify(grade) });
    if (!reply.ok) throw new Error(await reply.text());
  } catch (error) {
    $("state").textContent = "Not saved: " + error.message + " Is the command still running?";
    return;
  }
  Object.assign(one, { points: grade.points, criteria: [...given], comment: grade.comment, changed: false });
  nextOpen();
}
function give(index) {
  given[index] = given[index] ? 0 : question.rubric[index].points;
  drawRubric();
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const inText = event.target === $("comment");
  if (event.key === "Escape") { document.activeElement.blur(); return; }
  if (event.key === "Enter" && (!inText || event.shiftKey) && event.target.tagName !== "BUTTON") save();
  else if (inText || event.target.tagName === "SELECT" || event.target.type === "number") return;
  else if (event.key === "ArrowRight") go(place + 1);
  else if (event.key === "ArrowLeft") go(place - 1);
  else if (event.key === "c") $("comment").focus();
  else if (event.key === "n") $("whole").open = !$("whole").open;
  else if (event.key === "a") { given = question.rubric.map((line) => line.points); drawRubric(); }
  else if (event.key === "0") { given = question.rubric.map(() => 0); drawRubric(); }
  else if (/^[1-9]$/.test(event.key) && question.rubric[event.key - 1]) give(event.key - 1);
  else return;
  event.preventDefault();
});
$("save").addEventListener("click", save);
$("next").addEventListener("click", () => go(place + 1));
$("back").addEventListener("click", () => go(place - 1));
$("question").replaceChildren(...data.questions.map((one, index) => new Option(one.id + ": " + one.title, index)));
$("question").addEventListener("change", (event) => {
  question = data.questions[event.target.value];
  event.target.blur();
  const first = question.answers.findIndex(isOpen);
  go(first < 0 ? 0 : first);
});
$("title").textContent = data.title + ": grading by hand";
go(Math.max(0, question.answers.findIndex(isOpen)));

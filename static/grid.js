// The grid by keyboard, with cells that are edited in place. Without this script each row
// opens as a form.
"use strict";

(() => {
  // Where the focus is or was: it comes back there when the table is drawn anew.
  let here = null;
  let editor = null;
  let isStale = false;

  const grid = () => document.getElementById("grid");
  const columnOf = (cell) => cell.closest("table").tHead.rows[0].cells[cell.cellIndex];
  const rowOf = (cell) => cell.parentElement.dataset.row;
  const textOf = (cell) => (cell.querySelector(".text") || cell).textContent;

  function isOpen(cell) {
    return grid().hasAttribute("data-editable") && cell.cellIndex > 0 && !cell.closest("[data-fixed]");
  }

  function say(text) {
    const box = document.getElementById("grid-said");
    if (box) box.textContent = text;
  }

  // The cell where the reader was; the row that is there now where theirs is gone.
  function cellHere() {
    const lines = [...grid().tBodies[0].rows];
    const line = lines.find((each) => each.dataset.row === here?.row) || lines[here?.at ?? 0] || lines.at(-1);
    return line.cells[here?.index] || [...line.cells].find(isOpen) || line.cells[0];
  }

  // --- Moving --------------------------------------------------------------------
  // One cell of the grid can be reached by Tab: the one where the reader is. The link of a
  // row stands for its cell.
  function target(cell) {
    return cell.querySelector("a") || cell;
  }

  function mark(cell) {
    const table = cell.closest("table");
    table.querySelectorAll("tbody [tabindex='0']").forEach((other) => { other.tabIndex = -1; });
    target(cell).tabIndex = 0;
    here = { row: rowOf(cell), at: cell.parentElement.sectionRowIndex, index: cell.cellIndex };
  }

  function go(cell) {
    mark(cell);
    target(cell).focus();
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function neighbour(cell, down, right) {
    const line = cell.parentElement;
    const other = down > 0 ? line.nextElementSibling : down < 0 ? line.previousElementSibling : line;
    return other && other.cells[cell.cellIndex + right];
  }

  // The next cell that can be edited, this way or the other, over the ends of rows.
  function nextOpen(cell, step) {
    const all = [...cell.closest("tbody").querySelectorAll("th, td")];
    let at = all.indexOf(cell) + step;
    while (all[at] && !isOpen(all[at])) at += step;
    return all[at];
  }

  const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  function moved(cell, event) {
    if (event.key in MOVES) return neighbour(cell, ...MOVES[event.key]);
    if (event.key !== "Home" && event.key !== "End") return undefined;
    const all = event.ctrlKey ? cell.closest("tbody").querySelectorAll("th, td") : cell.parentElement.cells;
    return event.key === "Home" ? all[0] : all[all.length - 1];
  }

  function onKey(event) {
    const cell = event.target.closest("#grid tbody th, #grid tbody td");
    if (!cell || event.target.matches("input") || event.isComposing) return;
    const isTyped = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
    const to = event.altKey || event.metaKey ? undefined : moved(cell, event);
    if (to !== undefined) {
      event.preventDefault();
      if (to) go(to);
    } else if (!isOpen(cell)) {
      return;
    } else if (event.key === "Enter" || event.key === "F2") {
      event.preventDefault();
      edit(cell);
    } else if ((isTyped && event.key !== " ") || event.key === "Backspace" || event.key === "Delete") {
      event.preventDefault();
      edit(cell, isTyped ? event.key : "");
    }
  }

  // --- Editing -------------------------------------------------------------------
  function edit(cell, typed) {
    if (!isOpen(cell)) return go(cell);
    if (cell.classList.contains("cut")) {
      // There is more to it than one line shows: its row opens as a form.
      location.href = `${cell.parentElement.querySelector("th a").href}#cell-${columnOf(cell).dataset.place}`;
      return undefined;
    }
    close(true);
    mark(cell);
    const input = document.createElement("input");
    input.className = "form-control";
    input.value = typed === undefined ? textOf(cell) : typed;
    input.autocomplete = "off";
    input.spellcheck = false;
    input.setAttribute("aria-label", `${columnOf(cell).firstChild.textContent} in row ${rowOf(cell)}`);
    editor = { cell, input, before: [...cell.childNodes], was: cell.dataset.was ?? textOf(cell) };
    cell.replaceChildren(input);
    cell.classList.add("editing");
    input.addEventListener("keydown", onEditorKey);
    input.addEventListener("blur", () => close(true));
    input.focus();
    if (typed === undefined) input.select();
    return undefined;
  }

  function onEditorKey(event) {
    if (event.isComposing) return;
    const { cell } = editor;
    if (event.key === "Escape") {
      event.preventDefault();
      close(false);
      go(cell);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const below = neighbour(cell, event.shiftKey ? -1 : 1, 0);
      close(true);
      go(below || cell);
    } else if (event.key === "Tab") {
      const next = nextOpen(cell, event.shiftKey ? -1 : 1);
      if (!next) return;
      event.preventDefault();
      close(true);
      edit(next);
      if (!editor) go(next);
    }
    event.stopPropagation();
  }

  // Takes the editor away, and keeps what was typed if `keep`.
  function close(keep) {
    if (!editor) return;
    const { cell, input, before, was } = editor;
    editor = null;
    const text = input.value;
    cell.classList.remove("editing");
    if (!keep || text === was) {
      cell.replaceChildren(...before);
      if (keep && cell.classList.contains("unsaved")) save(cell, was, text);
    } else {
      const shown = document.createElement("span");
      shown.className = "text";
      shown.textContent = text;
      cell.replaceChildren(shown);
      save(cell, was, text);
    }
    if (isStale) draw();
  }

  function save(cell, was, text) {
    const form = document.getElementById("grid-form");
    const values = Object.fromEntries(new FormData(form));
    cell.classList.add("saving");
    cell.dataset.was = was;
    htmx.ajax("POST", form.dataset.url, {
      source: cell,
      target: cell,
      swap: "outerHTML",
      values: { ...values, row: rowOf(cell), place: columnOf(cell).dataset.place, was, cell: text },
    });
  }

  // --- What comes back --------------------------------------------------------------
  let hadFocus = false;

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target } = event.detail;
    const isTable = target?.id === "grid-rows";
    if (isTable) hadFocus = target.contains(document.activeElement);
    // Somebody is at work there: what they type stays.
    if (!editor || !(isTable || target === editor.cell)) return;
    event.detail.shouldSwap = false;
    isStale = true;
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const cell = event.detail.target;
    if (!cell?.matches?.("#grid .saving")) return;
    cell.classList.remove("saving");
    if (!event.detail.successful) cell.classList.add("unsaved");
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    const { elt } = event.detail;
    if (elt.id === "grid-rows") begin();
    if (!elt.matches("#grid td")) return;
    const said = [...elt.querySelectorAll(".said")].map((each) => each.textContent).join(" ");
    say(elt.classList.contains("unsaved") ? `Not saved. ${said}` : `Saved. ${said}`);
    if (!editor && here) {
      if (document.activeElement === document.body) go(cellHere());
      else if (document.activeElement.closest("#grid")) mark(cellHere());
    }
    drawIfChecked();
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.requestConfig?.path.includes("/grid/state/")) drawIfChecked();
  });

  // Once the newest edition is checked the table is drawn anew, unless somebody is at work
  // in it or something could not be kept.
  function drawIfChecked() {
    const state = document.getElementById("grid-state");
    if (!state || state.hasAttribute("data-poll")) return;
    isStale = true;
    draw();
  }

  function draw() {
    if (editor || document.querySelector("#grid :is(.saving, .unsaved)")) return;
    isStale = false;
    htmx.ajax("GET", location.pathname + location.search, {
      source: document.body, target: "#grid-rows", swap: "outerHTML",
    });
  }

  function begin() {
    const table = grid();
    if (!table) {
      if (hadFocus) document.getElementById("main").focus();
      return;
    }
    table.setAttribute("role", "grid");
    table.querySelectorAll("tbody th a, tbody td").forEach((each) => { each.tabIndex = -1; });
    if (table.hasAttribute("data-editable")) {
      table.querySelectorAll("[data-fixed] td, td[data-fixed]").forEach((cell) => {
        cell.setAttribute("aria-readonly", "true");
      });
    }
    // The cells can be reached: the box around them need not be.
    table.closest(".table-wrap").removeAttribute("tabindex");
    document.querySelectorAll(".grid-help").forEach((help) => { help.hidden = false; });
    if (hadFocus) go(cellHere());
    else mark(cellHere());
  }

  document.addEventListener("keydown", onKey);
  document.addEventListener("focusin", (event) => {
    const cell = event.target.closest("#grid tbody th, #grid tbody td");
    if (cell && !editor) mark(cell);
  });
  document.addEventListener("dblclick", (event) => editAt(event.target));
  document.addEventListener("click", (event) => {
    if (matchMedia("(pointer: coarse)").matches) editAt(event.target);
  });
  function editAt(element) {
    const cell = element.closest("#grid tbody td");
    if (cell && isOpen(cell) && cell !== editor?.cell) edit(cell);
  }

  document.addEventListener("DOMContentLoaded", begin);
  window.addEventListener("beforeunload", (event) => {
    if (document.querySelector("#grid :is(.saving, .unsaved)")) event.preventDefault();
  });
})();

// The list of operations: it stands still while lines are selected, and menus close.
"use strict";

(() => {
  const TICKED = "[name=operation]:checked";

  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt } = event.detail;
    if (elt.id === "operation-rows" && elt.querySelector(TICKED)) event.preventDefault();
  });
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form.selection");
    if (form) form.querySelector("[data-paused]").hidden = !form.querySelector(TICKED);
  });

  // <details class="menu">: Escape closes it, and so does whatever is done elsewhere.
  function closeMenus(except) {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(except)) menu.open = false;
    }
  }
  document.addEventListener("click", (event) => closeMenus(event.target));
  document.addEventListener("focusin", (event) => closeMenus(event.target));
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
})();

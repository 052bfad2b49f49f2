// Keyboard shortcuts: the palette (Ctrl+K), "/", "?", and j and k in lists. All of it can
// be reached without them. <html data-keys="off"> leaves only the palette.
"use strict";

(() => {
  // Where a line begins in each list, and what of it is opened.
  const LINES = "main :is(table tbody tr, .plain-list li, .unknown-list li)";
  const TARGETS = ":is(.row-title a, th[scope=row] a, a[href]:not(.btn), summary)";
  const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
  let before = null;

  function isTyping(element) {
    return element.isContentEditable
      || element.matches("input:not([type=checkbox], [type=radio]), textarea, select");
  }

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented) return;
    if (isPaletteKey(event)) {
      event.preventDefault();
      openPalette();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.documentElement.dataset.keys === "off") return;
    // A grid has keys of its own.
    if (event.target.closest("[role=grid]")) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const act = { "/": goToSearch, "?": openHelp, j: () => step(1), k: () => step(-1), x: tick }[event.key];
    if (act && act() !== false) event.preventDefault();
  });

  function isPaletteKey(event) {
    const held = isMac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
    return held && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k";
  }

  // --- Search and lists ---------------------------------------------------------
  function goToSearch() {
    const search = document.getElementById("top-search");
    if (!search) return false;
    search.focus();
    search.select();
    return true;
  }

  function targets() {
    return [...document.querySelectorAll(LINES)]
      .map((line) => line.querySelector(TARGETS) || line)
      .filter((target) => target.checkVisibility());
  }

  function step(by) {
    const all = targets();
    if (!all.length) return false;
    const line = document.activeElement.closest(LINES);
    const now = all.findIndex((target) => target === line || (line && line.contains(target)));
    const next = all[now < 0 ? (by > 0 ? 0 : all.length - 1) : now + by];
    if (!next) return true;
    if (next.matches("tr, li")) next.tabIndex = -1;
    next.focus({ focusVisible: true, preventScroll: true });
    next.scrollIntoView({ block: "center", behavior: "instant" });
    return true;
  }

  function tick() {
    const line = document.activeElement.closest(LINES);
    const box = line && line.querySelector("input[type=checkbox]");
    if (!box) return false;
    box.click();
    return true;
  }

  // --- Dialogs -------------------------------------------------------------------
  function opened(id) {
    let dialog = document.getElementById(id);
    if (!dialog) {
      const templates = document.getElementById("keys-templates");
      if (!templates) return null;
      document.body.append(templates.content.cloneNode(true));
      dialog = document.getElementById(id);
      for (const each of document.querySelectorAll("dialog.palette")) prepare(each);
    }
    if (dialog.open) return dialog;
    document.querySelector("dialog[open]")?.close();
    before = document.activeElement;
    dialog.showModal();
    return dialog;
  }

  function prepare(dialog) {
    dialog.addEventListener("close", () => {
      const back = before && before.id ? document.getElementById(before.id) || before : before;
      if (back?.isConnected) back.focus({ preventScroll: true });
    });
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    if (dialog.id === "palette") preparePalette(dialog);
  }

  function openHelp() {
    return Boolean(opened("key-help"));
  }

  // --- The palette ----------------------------------------------------------------
  // Its pages are those of the navigation, of this page's own links, and some more.
  function preparePalette(dialog) {
    const list = dialog.querySelector("[role=listbox]");
    list.prepend(...[...document.querySelectorAll("nav.side-bar a")].map(optionOf));
    const here = [...document.querySelectorAll("main nav.page-links a")].map(optionOf);
    list.lastElementChild.before(...here);
    [...list.children].forEach((option, place) => {
      option.id ||= `palette-${place}`;
      option.tabIndex = -1;
    });
    const input = dialog.querySelector("input");
    input.addEventListener("input", () => narrow(dialog));
    input.addEventListener("keydown", (event) => onPaletteKey(event, dialog));
    list.addEventListener("click", (event) => {
      if (event.target.closest("a")) dialog.close();
    });
  }

  function optionOf(link) {
    const option = document.createElement("a");
    option.href = link.href;
    option.setAttribute("role", "option");
    const heading = headingOf(link);
    option.textContent = `${heading ? `${heading}: ` : ""}${link.textContent.trim()}`;
    return option;
  }

  // "New write: CSV", "On this page: Log".
  function headingOf(link) {
    if (link.closest("main")) return link.closest("nav").getAttribute("aria-label");
    let place = link;
    while (place && !place.matches(".side-heading")) place = place.previousElementSibling;
    return place?.textContent === "New write" ? "New write" : "";
  }

  function openPalette() {
    const dialog = opened("palette");
    if (!dialog) return;
    const input = dialog.querySelector("input");
    input.value = "";
    narrow(dialog);
    input.focus();
  }

  function shown(dialog) {
    return [...dialog.querySelectorAll("[role=option]")].filter((option) => !option.hidden);
  }

  function narrow(dialog) {
    const text = dialog.querySelector("input").value.trim();
    const words = text.toLowerCase().split(/\s+/);
    for (const option of dialog.querySelectorAll("a[role=option]")) {
      const name = option.textContent.toLowerCase();
      option.hidden = !words.every((word) => name.includes(word));
    }
    const search = dialog.querySelector("#palette-search");
    search.hidden = !text;
    search.querySelector("strong").textContent = text;
    const options = shown(dialog);
    choose(dialog, options[0]);
    const pages = options.filter((option) => option.matches("a")).length;
    dialog.querySelector("[role=status]").textContent = `${pages} ${pages === 1 ? "page" : "pages"}`;
  }

  function choose(dialog, option) {
    for (const each of dialog.querySelectorAll("[role=option]")) {
      each.setAttribute("aria-selected", String(each === option));
    }
    const input = dialog.querySelector("input");
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest", behavior: "instant" });
  }

  function onPaletteKey(event, dialog) {
    if (event.isComposing) return;
    const options = shown(dialog);
    const now = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && options.length) {
      event.preventDefault();
      choose(dialog, options[(now + by + options.length) % options.length]);
    } else if (event.key === "Enter" && options[now]) {
      event.preventDefault();
      options[now].click();
    }
  }
})();

// A file that is dropped on any page, or cells that are pasted there, go to the form of a
// file: it shows where they may be meant to go, and sends nothing.
"use strict";

(() => {
  const address = document.body.dataset.dropTo;
  if (!address) return;
  // The form of a file itself, where there is one: what is typed there stays.
  const here = () => document.querySelector("form[data-drop-here]");
  // More than a form may bring; it goes as a file then.
  const LONGEST_PASTE = 600_000;

  // --- The overlay -------------------------------------------------------------
  const overlay = document.createElement("div");
  overlay.className = "drop-overlay";
  overlay.hidden = true;
  overlay.innerHTML = "<p><strong>Drop the file to check it.</strong> Nothing is sent.</p>";

  const brings = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  // Each element that is entered on the way into it is left again.
  let depth = 0;

  document.addEventListener("dragenter", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    depth += 1;
    document.body.append(overlay);
    overlay.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (!brings(event)) return;
    depth -= 1;
    if (depth <= 0) hide();
  });
  document.addEventListener("dragover", (event) => { if (brings(event)) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    hide();
    const files = event.dataTransfer.files;
    if (files.length > 1) say("Drop one file at a time. Nothing was taken.");
    else if (files.length) take({ file: files });
  });

  function hide() {
    depth = 0;
    overlay.hidden = true;
  }

  // --- Pasting -----------------------------------------------------------------
  document.addEventListener("paste", (event) => {
    if (event.defaultPrevented || event.target.closest("input, textarea, select, [contenteditable]")) return;
    const text = event.clipboardData?.getData("text/plain") || "";
    if (!/\S/.test(text) || !/\t|\S[^]*\n[^]*\S/.test(text)) return;
    event.preventDefault();
    if (text.length < LONGEST_PASTE) take({ text });
    else {
      const pasted = new DataTransfer();
      pasted.items.add(new File([text], "pasted.tsv", { type: "text/tab-separated-values" }));
      take({ file: pasted.files });
    }
  });

  // --- While a file is on its way ------------------------------------------------
  // The form comes back with it, as it was when the file was chosen: what was typed since
  // is put in again, from top to bottom, for choices depend on those above.
  let sent = null;
  let typed = [];
  const values = (form) => new Map([...form.elements].filter((control) => control.id && !control.matches("[type=file], [type=hidden], button")).map((control) => [control.id, control.type === "checkbox" ? control.checked : control.value]));
  const isForm = (event) => event.detail.target?.matches("form[data-drop-here]");

  document.addEventListener("htmx:beforeRequest", (event) => { if (isForm(event)) sent = values(event.detail.target); });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!isForm(event) || !sent) return;
    typed = [...values(event.detail.target)].filter(([id, value]) => sent.get(id) !== value);
  });
  document.addEventListener("htmx:afterSettle", () => {
    for (const [id, value] of typed) {
      const control = document.getElementById(id);
      if (!control) continue;
      if (control.type === "checkbox") control.checked = value;
      else control.value = value;
      control.dispatchEvent(new Event("change", { bubbles: true }));
    }
    typed = [];
  });

  // --- What came -----------------------------------------------------------------
  function take({ file, text }) {
    const form = here();
    if (form) {
      if (file) form.querySelector("[name=file]").files = file;
      else form.querySelector("[name=pasted]").value = text;
      form.querySelector("button[value=file]").click();
      return;
    }
    if (isTyped() && !confirm("Leave this page? What you typed here is not kept.")) return;
    bring(file, text);
  }

  function isTyped() {
    return [...document.querySelectorAll("main form[method=post] :is(input:not([type=hidden]), textarea, select)")].some((control) => {
      if (control.matches("[type=checkbox], [type=radio]")) return control.checked !== control.defaultChecked;
      if (control.matches("select")) return control.form.dataset.touched === "yes";
      return control.value !== control.defaultValue;
    });
  }

  // A hidden form takes it to the page: the browser uploads, and shows how far it is.
  function bring(file, text) {
    const token = document.querySelector("input[name=csrfmiddlewaretoken]");
    const form = document.createElement("form");
    form.method = "post";
    form.action = address;
    form.enctype = "multipart/form-data";
    form.hidden = true;
    add(form, "csrfmiddlewaretoken", token ? token.value : "");
    add(form, "do", "file");
    if (text !== undefined) add(form, "pasted", text);
    if (file) {
      const input = document.createElement("input");
      input.type = "file";
      input.name = "file";
      input.files = file;
      form.append(input);
    }
    document.body.append(form);
    say("Uploading the file…");
    form.submit();
  }

  function add(form, name, value) {
    const control = document.createElement("textarea");
    control.name = name;
    // A textarea would take a first line end as its own.
    control.value = value;
    form.append(control);
  }

  function say(words) {
    overlay.firstElementChild.textContent = words;
    document.body.append(overlay);
    overlay.hidden = false;
    overlay.setAttribute("role", "status");
    setTimeout(hide, 4_000);
  }

  document.addEventListener("change", (event) => {
    if (event.isTrusted && event.target.form) event.target.form.dataset.touched = "yes";
  });
})();

// Loaded before the page is drawn, so that it never flashes in the wrong theme.
// A theme that the reader chose is already on <html>; otherwise the system decides.
(() => {
  const root = document.documentElement;
  if (root.dataset.bsTheme) return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => { root.dataset.bsTheme = dark.matches ? "dark" : "light"; };
  dark.addEventListener("change", apply);
  apply();
})();

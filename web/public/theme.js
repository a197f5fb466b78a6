// Runs before anything is painted, so that a stored theme or language never flashes.
(function () {
  var stored = {};
  try {
    stored = (JSON.parse(localStorage.getItem("turnwise.settings") || "{}") || {}).state || {};
  } catch (_) {}
  var dark = stored.theme === "dark" || (stored.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  var root = document.documentElement;
  root.dataset.theme = dark ? "dark" : "light";
  root.lang = stored.language || (navigator.language.toLowerCase().startsWith("zh") ? "zh-CN" : "en");
})();

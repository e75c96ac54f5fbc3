// Runs before the first paint, so a chosen theme never flashes the other one.
(function () {
  try {
    var theme = localStorage.getItem("takings.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    var language = localStorage.getItem("takings.language");
    if (language === "en" || language === "fr") document.documentElement.lang = language;
  } catch {
    // Storage is blocked: the browser's own preferences hold.
  }
})();

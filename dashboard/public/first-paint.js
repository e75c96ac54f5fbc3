// Runs before the first paint, so a chosen theme never flashes the other one.
(function () {
  try {
    var theme = localStorage.getItem("takings.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    // A wall is dark unless a theme was chosen.
    else if (new URLSearchParams(location.search).has("wall")) document.documentElement.dataset.theme = "dark";
    var language = localStorage.getItem("takings.language");
    if (language === "en" || language === "fr") document.documentElement.lang = language;
  } catch {
    // Storage is blocked: the browser's own preferences hold.
  }
})();

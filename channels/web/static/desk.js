// Enhances the desk's pages; every page works without it. Live hint, and conditions that follow the chosen class.
"use strict";

(() => {
  const live = document.getElementById("live");
  if (live && "EventSource" in window) listen(live);

  function listen(hint) {
    const here = document.querySelector("[data-case]");
    let last = hint.dataset.after;
    let news = null;
    const follow = () => {
      // A browser opens six connections to a host at most, so a tab that nobody looks at gives its own back.
      if (news) news.close();
      news = null;
      if (document.hidden) return;
      news = new EventSource(`/api/v1/events?after=${encodeURIComponent(last)}`);
      news.addEventListener("change", (event) => {
        last = event.lastEventId || last;
        // A case page tells of its own case only; lists tell of any.
        if (here && JSON.parse(event.data).case_no !== here.dataset.case) return;
        hint.hidden = false;
      });
    };
    document.addEventListener("visibilitychange", follow);
    window.addEventListener("pagehide", () => news && news.close());
    follow();
  }

  for (const button of document.querySelectorAll("button[data-refresh]")) {
    const chosen = button.form.elements.namedItem("subclass");
    if (chosen && button.form.elements.namedItem("condition")) {
      chosen.addEventListener("change", () => button.form.requestSubmit(button));
    }
  }

  const problem = document.getElementById("problem");
  if (problem) problem.focus();
})();

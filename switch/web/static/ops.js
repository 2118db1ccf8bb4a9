// Says whether the page is live: three seconds without a beat, and it is not.
"use strict";
(() => {
  const line = document.getElementById("line");
  let last = 0;
  const show = (isLive) => {
    const text = isLive ? line.dataset.live : line.dataset.stale;
    if (line.textContent !== text) line.textContent = text;
    line.classList.toggle("good", isLive);
    line.classList.toggle("bad", !isLive);
    document.body.classList.toggle("stale", !isLive);
  };
  document.body.addEventListener("htmx:sseBeforeMessage", () => { last = Date.now(); });
  document.body.addEventListener("htmx:sseOpen", (event) => {
    last = Date.now();
    event.detail.source.addEventListener("beat", () => { last = Date.now(); });
    show(true);
  });
  setInterval(() => { if (last) show(Date.now() - last < 3000); }, 1000);
  // The form that asks, and what it was told, get the keyboard.
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target && event.detail.target.id === "desk") {
      (document.querySelector("#desk input[name=why]") || event.detail.target).focus();
    }
  });
  document.body.addEventListener("click", (event) => {
    if (event.target.closest("#desk a.quiet")) {
      event.preventDefault();
      document.getElementById("desk").replaceChildren();
    }
  });
})();

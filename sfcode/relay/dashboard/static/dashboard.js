// Shows the present state of a page that asks for it (data-refresh, in seconds) without loading it anew.
// Pages work without this: their link "Refresh" does the same.
"use strict";
const seconds = Number(document.body.dataset.refresh);
const isBusy = () =>
  document.hidden || document.querySelector("main details[open]") || document.activeElement?.closest("main");
async function refresh() {
  if (isBusy()) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!isBusy()) document.querySelector("main").replaceWith(page.querySelector("main"));
}
if (seconds) setInterval(() => refresh().catch(() => {}), seconds * 1000);

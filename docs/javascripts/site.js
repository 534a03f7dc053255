// The longest code that fits into a line of a phone, or into a narrow column; and the longest cell that needs no wide
// column, in characters.
const LONGEST_IN_LINE = 32, LONGEST_IN_CELL = 16, LONGEST_NARROW_CELL = 24;
for (const code of document.querySelectorAll(".md-typeset :not(pre) > code")) {
  const longest = code.closest("td, th") ? LONGEST_IN_CELL : LONGEST_IN_LINE;
  code.classList.toggle("short", code.textContent.length <= longest);
}
for (const cell of document.querySelectorAll(".md-typeset td")) {
  cell.classList.toggle("long", cell.textContent.length > LONGEST_NARROW_CELL);
}

// The theme makes tables scroll and adds buttons to blocks of code after a page is loaded, and forgets two things:
// a table that scrolls is reached by keyboard, and a button above code is no landmark of the page (WCAG 2).
const tables = ".md-typeset__scrollwrap";

function completeTheme() {
  for (const table of document.querySelectorAll(tables)) {
    if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
    else table.removeAttribute("tabindex");
  }
  for (const buttons of document.querySelectorAll("nav.md-code__nav:not([role])")) buttons.setAttribute("role", "none");
}

new MutationObserver(completeTheme).observe(document.body, { childList: true, subtree: true });
addEventListener("resize", completeTheme);
completeTheme();

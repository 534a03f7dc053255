"""
Write the sources of the documentation site: the pages of docs/, and the repository's own pages that they link to.

Links that lead out of docs/ are changed to the pages of the site. Links to other files of the repository become plain
text. Plain addresses become links, as on GitHub. If a picture has a variant for dark pages (`plan-dark.png` beside
`plan.png`), both are included, and each theme shows the one for it. `make site` builds the site from these sources.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/RESULTS.md": "measurements.md",
}
"""The pages outside docs/, and their names in the site."""
_LINK = re.compile(r"(?<!!)\[([^\]\[]*(?:\[[^\]]*\][^\]\[]*)*)\]\(([^)\s#]*)(#[^)\s]*)?\)")
_CODE = re.compile(r"(`[^`\n]+`)")
_ADDRESS = re.compile(r"""(?<!\]\()(?<![<"'\[\w])https?://[^\s)>|\]]+[^\s)>|\].,;:]""")
_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s#]+)\.png\)")


def site_path(path: str) -> str | None:
    """Return the path in the site of a file of the repository; None for a file that is not part of the site."""
    return path.removeprefix("docs/") if path.startswith("docs/") else PAGES.get(path)


def rewrite_links(text: str, path: str) -> str:
    """Return the text of a page with its links rewritten for the site; `path` is the path of the page."""
    folder = Path(site_path(path) or path).parent

    def rewrite(link: re.Match[str]) -> str:
        label, target, fragment = link[1], link[2], link[3] or ""
        if not target or ":" in target:
            return link[0]
        page = site_path(os.path.normpath(Path(path).parent / target))
        return f"[{label}]({os.path.relpath(page, folder)}{fragment})" if page else label

    parts = re.split(r"(^```.*?^```)", text, flags=re.DOTALL | re.MULTILINE)
    return "".join(part if part.startswith("```") else link_addresses(_LINK.sub(rewrite, part)) for part in parts)


def link_addresses(text: str) -> str:
    """Return a text in which each plain address is a link, as on GitHub."""
    return "".join(part if part.startswith("`") else _ADDRESS.sub(r"<\g<0>>", part) for part in _CODE.split(text))


def add_dark_pictures(text: str, folder: Path) -> str:
    """Return the text of a page with the dark variants of its pictures added; `folder` is the folder of the page."""

    def add(picture: re.Match[str]) -> str:
        label, name = picture[1], picture[2]
        if not (folder / f"{name}-dark.png").is_file():
            return picture[0]
        return f"![{label}]({name}.png#only-light)![{label}]({name}-dark.png#only-dark)"

    return _PICTURE.sub(add, text)


def write(folder: Path) -> list[str]:
    """Write the configuration and all pages to an emptied folder; return the names of the pages."""
    shutil.rmtree(folder, ignore_errors=True)
    pages = folder / "pages"
    pages.mkdir(parents=True)
    shutil.copyfile(ROOT / "zensical.toml", folder / "zensical.toml")
    names = []
    for source in (*sorted((ROOT / "docs").rglob("*")), *(ROOT / page for page in PAGES)):
        path = source.relative_to(ROOT).as_posix()
        name = site_path(path)
        if name is None or source.is_dir():
            continue
        target = pages / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".md":
            text = add_dark_pictures(source.read_text(encoding="utf-8"), source.parent)
            target.write_text(rewrite_links(text, path), encoding="utf-8")
            names.append(name)
        else:
            shutil.copyfile(source, target)
    return names


if __name__ == "__main__":
    write(Path(sys.argv[1]))

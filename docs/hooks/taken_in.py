"""A hook that takes in pages from where they stand: the course, the benchmarks, and others.

No copy of them is kept: each is read when the site is built. A link to a file that has become a
page leads to the page; a link to any other file of the repository becomes its text.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from notebooks import Notebook, with_html

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "demos" / "notebooks").glob("[0-9]*.ipynb"))
PAGES = {
    "README.md": "index.md",
    "demos/notebooks/README.md": "course/index.md",
    **{f"demos/notebooks/{path.name}": f"course/{path.stem}.md" for path in NOTEBOOKS},
    "benchmarks/README.md": "benchmarks.md",
    "CHANGELOG.md": "changelog.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
}
LINK = re.compile(
    r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|!?\[[^\]]*\]\([^)]*\))*)\]\((?P<to>[^)\s]+)\)"
)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages to those of docs/."""
    for source, page in PAGES.items():
        path = ROOT / source
        if page == "index.md" or not path.exists():
            continue
        if path.suffix == ".ipynb":
            notebook = Notebook(path)
            text = notebook.markdown
            for name, content in notebook.pictures.items():
                files.append(File.generated(config, f"course/{name}", content=content))
        else:
            text = path.read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=relinked(text, source, page)))
    return files


def on_page_content(content: str, **_: Any) -> str:
    """Put in place the tables and pages that notebooks have shown."""
    return with_html(content)


def relinked(text: str, source: str, page: str) -> str:
    """Return the text with links that lead on from its page."""

    def link(match: re.Match[str]) -> str:
        to, _, anchor = match["to"].partition("#")
        label = LINK.sub(link, match["text"])
        if not to or re.match(r"[a-z]+:", to):
            return f"{match['image']}[{label}]({match['to']})"
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), to))
        target = target[5:] if target.startswith("docs/") else PAGES.get(target, "")
        if not target:
            return label
        target = posixpath.relpath(target, posixpath.dirname(page) or ".")
        return f"{match['image']}[{label}]({target}{'#' * bool(anchor)}{anchor})"

    parts = re.split(r"(^```.*?^```$|`[^`\n]+`(?!\]))", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if i % 2 else LINK.sub(link, part) for i, part in enumerate(parts))

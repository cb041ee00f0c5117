"""Executed notebooks as Markdown: their code, what it gave, and pictures as files of their own."""

import base64
import html
import json
import re
from pathlib import Path
from typing import Any

ESCAPES = re.compile(r"\x1b\[[\d;]*m")
SHOWN = ("image/svg+xml", "image/png", "text/html", "text/latex", "text/plain")


class Notebook:
    """A notebook as a page: its `markdown`, and the content of its `pictures` by name."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self.pictures: dict[str, str | bytes] = {}
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        self.markdown = "\n\n".join(part for cell in cells for part in self._cell(cell))

    def _cell(self, cell: dict[str, Any]) -> list[str]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            return [source]
        parts = [fenced(source, "python")] if source.strip() else []
        return parts + [self._output(output) for output in cell["outputs"]]

    def _output(self, output: dict[str, Any]) -> str:
        if output["output_type"] == "stream":
            return fenced("".join(output["text"]), "text")
        data = output.get("data", {})
        kind = next((kind for kind in SHOWN if kind in data), None)
        if kind is None:
            raise ValueError(f"an output of {self.name} has none of {', '.join(SHOWN)}")
        content = "".join(data[kind])
        if kind == "text/plain":
            return fenced(content, "text")
        if kind == "text/latex":
            return f"$$\n{content.strip().strip('$').strip()}\n$$"
        if kind == "text/html":
            waiting = base64.b64encode(content.encode()).decode()
            return f'<div class="shown" data-html="{waiting}"></div>'
        name = f"{self.name}_{len(self.pictures) + 1}.{'svg' if 'svg' in kind else 'png'}"
        self.pictures[name] = content if "svg" in kind else base64.b64decode(content)
        alt = html.escape(_described(data))
        return f'<div class="shown"><img loading="lazy" src="{name}" alt="{alt}"></div>'


def with_html(page: str) -> str:
    """Return a page with the HTML that waited, so that Markdown would not read it, in its place."""
    return re.sub(
        r'<div class="shown" data-html="([^"]*)">',
        lambda match: f'<div class="shown">{base64.b64decode(match[1]).decode()}',
        page,
    )


def fenced(text: str, language: str) -> str:
    """Return text as a block of code, inside a fence that it does not contain."""
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)
    return f"{fence}{language}\n{ESCAPES.sub('', text).strip(chr(10))}\n{fence}"


def _described(data: dict[str, Any]) -> str:
    """Return words for those who cannot see a picture."""
    title = re.search(r"<title>([^<]*)</title>", "".join(data.get("image/svg+xml", "")))
    return title[1] if title else "the picture that the code above draws"

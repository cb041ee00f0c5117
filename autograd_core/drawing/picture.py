"""Picture: what `draw` returns; notebooks show it, and it is saved in several formats."""

import html
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

from ..errors import AutogradError, FileError, OptionError
from ..explanation.notation import short
from .dot import INK, LINE, PAPER, UNKNOWN, color, convert, render, visible

FORMATS = ("svg", "png", "pdf", "dot", "html")
SVG = "{http://www.w3.org/2000/svg}"
FONTS = "Helvetica,Arial,sans-serif"
LETTER = 5.2  # points that a letter of the legend takes
HEIGHT = 24  # of the legend
GLYPHS = {
    "input": '<ellipse cx="9" cy="0" rx="9" ry="5.5" {}/>',
    "parameter": '<polygon points="0,-3 5,-6 13,-6 18,-3 18,3 13,6 5,6 0,3" {}/>',
    "constant": '<path d="M0,-6 H14 L18,-2 V6 H0 Z" {}/>',
    "result": '<rect x="0" y="-6" width="18" height="12" rx="4" {}/>',
    "several": '<path d="M0,-6 H18 V6 H0 Z M2,-4 H16 V4 H2 Z" {}/>',
    "group": '<path d="M0,-4 H10 L11,-6 H17 L18,-4 V6 H0 Z" {}/>',
    "not computed": '<rect x="0" y="-6" width="18" height="12" rx="4" stroke-dasharray="3,2" {}/>',
}
WORDS = {"several": "repeated", "group": "folded"}
# A picture has a background of its own, so that it is readable on light and dark pages. Its boxes
# keep their colours, which have a meaning; only those without a gradient follow the page
STYLE = """
@media (prefers-color-scheme: dark) {
  .autograd-picture .paper, .autograd-picture .heading polygon { fill: #1e1f22 }
  .autograd-picture .edge:not(.weight) path,
  .autograd-picture .edge polygon { stroke: #a9a9b5 }
  .autograd-picture .edge polygon { fill: #a9a9b5 }
  .autograd-picture [fill="#e4e4ea"] { fill: #3f4148 }
  .autograd-picture .unknown :not(text), .autograd-picture [fill="#e4e4ea"] { stroke: #c3c3cd }
  .autograd-picture .unknown text { fill: #e3e3e8 }
  .autograd-picture .cluster path { fill: #2a2b30; stroke: #5d5d69 }
  .autograd-picture .graph > text, .autograd-picture .cluster > text,
  .autograd-picture .edge text, .autograd-picture .heading text,
  .autograd-picture .legend > text { fill: #e3e3e8 }
}
"""


class Legend(NamedTuple):
    """The shapes in a picture, and the gradient of the deepest colour."""

    shapes: list[str]
    most: float
    measure: str = "gradient"


class Picture:
    """A picture of a graph or a network.

    Notebooks show it as svg; printed, it is a table in plain text.

    Args:    source: DOT text.
             text: the table.
             title: of files and for screen readers.
             stories: descriptions that appear when a node is pointed at, by names in the DOT text.
             legend: the shapes and colours to explain.
             page: returns the page for files that end in .html; None: a page with the svg.
             format: default format of `render`.
    Example: >>> from autograd_core import Value
             >>> from autograd_core.drawing.draw import draw
             >>> a = Value(3.0, label="a")
             >>> draw(a * a)
             t1  multiply  data 9  gradient: not computed  from a, a
             a   input     data 3  gradient: not computed
    """

    def __init__(
        self,
        source: str,
        text: str,
        title: str,
        stories: dict[str, str],
        legend: Legend,
        page: Callable[[], str] | None = None,
        format: str = "svg",
    ) -> None:
        self.source = source
        self.title = title
        self.format = format
        self._text = text
        self._stories = stories
        self._legend = legend
        self._page = page
        self._svg: str | None = None

    def svg(self) -> str:
        """Return the picture as svg text.

        Raises: MissingPackageError: Graphviz is not installed.
        """
        if self._svg is None:
            drawn = render(self.source)
            self._svg = finish(drawn, self._stories, self._legend, self.title)
        return self._svg

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write the picture to a file, in the format that the file's name ends with.

        Args:    path: ends in .svg, .png, .pdf, .dot or .html; a graph's html is the page that
                 steps through it.
        Returns: the path.
        Raises:  OptionError: another ending. FileError: the file cannot be written.
                 MissingPackageError: png and pdf need `pip install cairosvg`.
        Example: >>> import tempfile
                 >>> from pathlib import Path
                 >>> from autograd_core import Value
                 >>> from autograd_core.drawing.draw import draw
                 >>> with tempfile.TemporaryDirectory() as folder:
                 ...     Path(draw(Value(1.0)).save(folder + "/one.dot")).read_text()[:7]
                 'digraph'
        """
        path = Path(path)
        data = self._in(path.suffix[1:].lower(), str(path))
        try:
            path.write_bytes(data)
        except OSError as error:
            raise FileError(
                f"{path}, which cannot be written",
                error.strerror or str(error),
                "a path in a folder that exists and is writable",
            ) from None
        return str(path)

    def render(self, filename: str = "graph", format: str | None = None) -> str:
        """Write the picture to `filename.format`, as the objects of the package graphviz do.

        Args:    filename: without its ending.
                 format: "svg", "png", "pdf", "dot" or "html"; None: that of `draw_dot`.
        Returns: the path.
        """
        return self.save(f"{filename}.{format or self.format}")

    def _in(self, format: str, path: str) -> bytes:
        if format in ("png", "pdf"):
            # Without its styles, since converters ignore media queries
            styles = r'<style>.*?</style>| style="[^"]*"'
            bare = re.sub(styles, "", self.svg(), count=2, flags=re.DOTALL)
            return convert(bare, self.source, format)
        if format == "svg":
            return self.svg().encode()
        if format == "dot":
            return self.source.encode()
        if format == "html":
            if self._page is not None:
                return self._page().encode()
            title = f'<meta charset="utf-8"><title>{html.escape(self.title)}</title>'
            return f'<!doctype html>\n<html lang="en">{title}\n{self.svg()}</html>\n'.encode()
        raise OptionError(
            f"{path} as a picture",
            "its name does not end in one of the formats " + ", ".join(FORMATS),
            "save('graph.svg')",
        )

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg(), "text/plain": str(self)}
        except AutogradError as error:
            return {"text/plain": f"{self}\n\n{error}"}


# The finished svg


def finish(svg: bytes, stories: Mapping[str, str], legend: Legend, title: str) -> str:
    """Return Graphviz's svg with styles, legend and descriptions.

    Args:    stories: descriptions of nodes, by their names in the DOT text.
             title: of the whole picture, for screen readers.
    """
    ET.register_namespace("", SVG[1:-1])
    root = ET.fromstring(svg)
    graph = next(root.iter(f"{SVG}g"))
    for group in graph.iter(f"{SVG}g"):
        name = group.find(f"{SVG}title")
        if name is None:
            continue
        texts = group.findall(f"{SVG}text")
        kind = (group.get("class") or "").split()[0]
        if name.text and name.text in stories:
            name.text = visible(stories[name.text])
        elif kind == "cluster" and texts:
            name.text = texts[0].text
        else:
            group.remove(name)
        if texts and kind != "edge":
            texts[0].set("font-weight", "bold")
        group.attrib.pop("id", None)  # pictures share a page, and ids must not clash
    graph.attrib.pop("id", None)
    for text in root.iter(f"{SVG}text"):
        text.set("font-family", FONTS)
    _frame(root, graph, legend, title)
    return ET.tostring(root, "unicode", xml_declaration=False) + "\n"


def _frame(root: ET.Element, graph: ET.Element, legend: Legend, title: str) -> None:
    """Add the title, the style, the background and the legend."""
    _, _, width, height = map(float, (root.get("viewBox") or "").split())
    row, length = _legend(legend)
    wide = max(width, length + 12)
    tall = height + (HEIGHT if length else 0)
    for paper in graph.findall(f"{SVG}polygon"):  # Graphviz's own, behind its part only
        graph.remove(paper)
    name, style, sheet = (ET.Element(f"{SVG}{tag}") for tag in ("title", "style", "rect"))
    style.text = STYLE
    sheet.attrib = {"class": "paper", "width": "100%", "height": "100%", "fill": PAPER}
    name.text = visible(title)
    for i, element in enumerate([name, style, sheet]):
        root.insert(i, element)
    if length:
        row.set("transform", f"translate(8 {height + HEIGHT / 2 - 3:.1f})")
        root.append(row)
    root.attrib |= {
        "class": "autograd-picture",
        "role": "img",
        "width": f"{wide:.0f}pt",
        "height": f"{tall:.0f}pt",
        "viewBox": f"0 0 {wide:.2f} {tall:.2f}",
        # Shrinks to the width of a page, but stays readable
        "style": f"max-width: 100%; min-width: {min(wide, max(0.6 * wide, 480)):.0f}pt; "
        "height: auto",
    }


def _legend(legend: Legend) -> tuple[ET.Element, float]:
    """Return the legend as one row, and how wide it is."""
    parts: list[str] = []
    at = 0.0

    def write(text: str) -> None:
        nonlocal at
        parts.append(f'<text x="{at:.1f}" y="3.5">{text}</text>')
        at += LETTER * len(text) + 10

    for shape in legend.shapes:
        look = f'fill="{UNKNOWN if shape == "not computed" else PAPER}" stroke="{LINE}"'
        parts.append(f'<g transform="translate({at:.1f} 0)">{GLYPHS[shape].format(look)}</g>')
        at += 23
        write(WORDS.get(shape, shape))
    if legend.most:
        write(f"{legend.measure} -{short(legend.most, 3)}")
        for step in range(-4, 5):
            fill = color(legend.most * step * abs(step) / 16, legend.most)
            parts.append(f'<rect x="{at:.1f}" y="-6" width="9" height="12" fill="{fill}"/>')
            at += 9
        frame = f'fill="none" stroke="{LINE}" stroke-width="0.5"'
        parts.append(f'<rect x="{at - 81:.1f}" y="-6" width="81" height="12" {frame}/>')
        at += 6
        write(short(legend.most, 3))
    font = f'font-family="{FONTS}" font-size="10" fill="{INK}"'
    row = f'<g xmlns="{SVG[1:-1]}" class="legend" {font}>{"".join(parts)}</g>'
    return ET.fromstring(row), at

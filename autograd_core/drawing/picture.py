"""Picture: what `draw` returns; it shows itself in a notebook and saves itself in many formats."""

import html
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import AutogradError, FileError, OptionError
from .rendering import convert, render
from .svg import Legend, finish, without_style

FORMATS = ("svg", "png", "pdf", "dot", "html")


class Picture:
    """A picture of a graph or a network.

    In a notebook it shows itself, as svg; elsewhere it is a table in plain text.

    Args:    source: DOT text.
             text: the same in words.
             title: of files and for screen readers.
             stories: what to say about each node that is pointed at, by its name in the DOT text.
             legend: the shapes and colours to explain.
             page: makes the page for files that end in .html; None: one that holds the svg.
             format: of `render`, where it is given none.
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

        Raises: MissingPackageError: nothing is there to draw it with.
        """
        if self._svg is None:
            drawn = render(self.source)
            self._svg = finish(drawn, self._stories, self._legend, self.title)
        return self._svg

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write the picture to a file, in the format that the file's name ends in.

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
                "a path in a folder that is there and may be written to",
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
            return convert(without_style(self.svg()), self.source, format)
        if format == "svg":
            return self.svg().encode()
        if format == "dot":
            return self.source.encode()
        if format == "html":
            return (self._page or self._plain_page)().encode()
        raise OptionError(
            f"{path} as a picture",
            "its name does not end in a format that is known: " + ", ".join(FORMATS),
            "save('graph.svg')",
        )

    def _plain_page(self) -> str:
        title = f'<meta charset="utf-8"><title>{html.escape(self.title)}</title>'
        return f'<!doctype html>\n<html lang="en">{title}\n{self.svg()}</html>\n'

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

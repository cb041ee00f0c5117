"""A hook that writes formulas as MathML, which browsers show without a script.

`pymdownx.arithmatex` finds `$...$` and `$$...$$`, in pages, notebooks and docstrings alike.
"""

import html
import re
from typing import Any

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError

FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


UNREAD = re.compile(r"<m[ion]>(\\[^<]*|&(?:amp;)?)</m[ion]>")


def on_page_content(content: str, page: Any, **_: Any) -> str:
    """Return the page with its formulas drawn."""

    def drawn(match: re.Match[str]) -> str:
        tag, opening, source = match.groups()
        source = html.unescape(source).strip().removeprefix(r"\displaystyle").strip()
        source = source.replace("{aligned}", "{align*}")  # the one of the two that is known there
        formula = convert(source, display="block" if opening == "[" else "inline")
        if UNREAD.search(formula):
            raise PluginError(f"{page.file.src_uri}: cannot draw the formula {source}")
        return f'<{tag} class="formula">{formula}</{tag}>'

    return FORMULA.sub(drawn, content)

"""A hook that fails the build where a page would ask the network for something, or a formula or
label stayed unread."""

import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError

FETCHED = re.compile(
    r"""<(?:script|img|iframe|link(?=[^>]*rel="?(?:stylesheet|preload|preconnect|icon)))\b[^>]*"""
    r"""(?:src|href)="?(?:https?:)?//[^\s">]+|(?:@import|url\()\s*["']?(?:https?:)?//[^)"']+"""
)
UNREAD = re.compile(r'class="arithmatex"|<p>(?:Args|Returns|Raises|Example|Source): ')


def on_post_build(config: Any, **_: Any) -> None:
    """Look at every file of the site."""
    found = []
    for path in sorted(Path(config.site_dir).rglob("*")):
        if path.suffix in (".html", ".css", ".svg"):
            text = path.read_text(encoding="utf-8")
            name = path.relative_to(config.site_dir)
            matches = [*FETCHED.finditer(text), *UNREAD.finditer(text)]
            found += [f"{name}: {match[0][-100:]}" for match in matches]
    if found:
        raise PluginError("pages that need the network, or were not read:\n" + "\n".join(found))

"""A Griffe extension that reads this library's docstrings: sections whose text begins beside them.

`Args:    x: meaning` becomes a table of parameters, `Raises:` links to the errors, `Example:` is
highlighted. What stands outside backticks is plain text, in which no asterisk
or bracket means anything; names of public things in it become links.
"""

import ast
import importlib
import re
from pathlib import Path
from typing import Any

import griffe

ROOT = Path(__file__).parents[2]
LABEL = re.compile(r"^(Args|Returns|Raises|Example|Source): +", re.MULTILINE)
ENTRY = re.compile(r"^(all others|others|\*{0,2}\w+(?:, \*{0,2}\w+)*): ")
ERROR = re.compile(r"(?:^|(?<=[.;] ))([A-Z]\w+(?:(?:, | or )[A-Z]\w+)*): ")
KEPT = re.compile(r"(\n\n(?: {4}.*(?:\n|$)|\n)+|`[^`]+`)")
LINK = re.compile(
    r"\b(?:nn|autograd_core)(?:\.\w+)+|(?<=\b[Ss]ee )(?P<see>[A-Z]\w+)|\b(?P<item>\w+)(?=[,:]\s)"
)
SPECIAL = re.compile(r"([\\`*_\[\]$|])")


def sections(text: str) -> list[tuple[str, str]]:
    """Return the parts of a docstring as (label, text); the first has the label ""."""
    found = list(LABEL.finditer(text))
    starts = [match.start() for match in found] + [len(text)]
    parts = [("", text[: starts[0]].strip())]
    for match, end in zip(found, starts[1:], strict=True):
        first, *rest = text[match.end() : end].rstrip().split("\n")
        indent = re.compile(rf"^ {{0,{max(9, len(match[0]))}}}")
        parts.append((match[1], "\n".join([first, *(indent.sub("", line) for line in rest)])))
    return [(label, part) for label, part in parts if part]


def entries(text: str, known: set[str]) -> list[tuple[str, str]]:
    """Return the entries of `Args:` as (names, meaning); names are those of the signature."""
    found: list[list[str]] = []
    for line in text.split("\n"):
        match = ENTRY.match(line)
        names = match[1].replace("*", "").split(", ") if match else []
        begins = bool(names) and ("others" in names[0] or not known or known.issuperset(names))
        if match and (begins or not found):
            found.append([match[1], line[match.end() :]])
        elif found:
            found[-1][1] += "\n" + line
    return [(names, meaning) for names, meaning in found]


def errors(text: str) -> list[tuple[str, str]]:
    """Return what `Raises:` lists, as (error, condition)."""
    joined = " ".join(text.split())
    found = list(ERROR.finditer(joined))
    ends = [match.start() for match in found] + [len(joined)]
    return [
        (match[1], joined[match.end() : end].strip())
        for match, end in zip(found, ends[1:], strict=True)
    ] or [("", joined)]


def exported() -> dict[str, str]:
    """Return the public names: dotted ones, and those of classes, each with its shortest path."""
    public: dict[str, str] = {}
    for package in ("autograd_core", "nn"):
        for path in (ROOT / package).rglob("*.py"):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            module = module.removesuffix(".__init__")
            for statement in ast.parse(path.read_text(encoding="utf-8")).body:
                if (
                    isinstance(statement, ast.Assign)
                    and ast.unparse(statement.targets) == "__all__"
                ):
                    public[module] = module
                    for name in ast.literal_eval(statement.value):
                        public[f"{module}.{name}"] = f"{module}.{name}"
    for name in sorted(public, key=lambda name: -len(name)):
        public[name.rpartition(".")[2]] = name
    return public


class Prose:
    """Makes Markdown of plain text with backticks, with links to public names."""

    def __init__(self) -> None:
        self.public = exported()

    def __call__(self, text: str, module: str = "") -> str:
        """Return Markdown; in the docstring of a module, names of its contents are links, too."""
        parts = []
        for part in KEPT.split(text):
            name = part.strip("`")
            if part.startswith("`") and module and f"{module}.{name}" in self.public:
                parts.append(self._link(name, f"{module}.{name}"))
            else:
                parts.append(part if KEPT.fullmatch(part) else self._plain(part, module))
        return "".join(parts)

    def _plain(self, text: str, module: str) -> str:
        parts, last = [], 0
        for match in LINK.finditer(text):
            path = f"{module}.{match[0]}" if match["item"] else match[0]
            if path in self.public:
                path = self.public[path]
                parts += [self._escaped(text[last : match.start()]), self._link(match[0], path)]
                last = match.end()
        return "".join([*parts, self._escaped(text[last:])])

    @staticmethod
    def _link(name: str, path: str) -> str:
        return f"[`{name}`][{path}]"

    @staticmethod
    def _escaped(text: str) -> str:
        return SPECIAL.sub(r"\\\1", text).replace("<", "&lt;")


class Docstrings(griffe.Extension):
    """Gives each docstring its sections before Griffe's own parsers see it."""

    def __init__(self) -> None:
        self.prose = Prose()

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Read the docstring of a package; all other objects come to `on_object`."""
        self.on_object(obj=pkg)

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Read the docstring of an object; tables of names get one."""
        if obj.name == "BY_NAME" and obj.parent is not None:
            obj.docstring = griffe.Docstring(_names(obj.parent.path), parent=obj)
        elif obj.docstring is not None:
            obj.docstring.__dict__["parsed"] = self._sections(obj)

    def _sections(self, obj: Any) -> list[Any]:
        parts = sections(obj.docstring.value)
        return [self._section(obj, label, text) for label, text in parts]

    def _section(self, obj: Any, label: str, text: str) -> Any:
        match label:
            case "Args":
                return self._args(obj, text)
            case "Returns" | "Source":
                title = f'<span class="doc-section-title">{label}:</span>'
                return griffe.DocstringSectionText(f"{title} {self.prose(text)}")
            case "Raises":
                return self._raises(text)
            case "Example":
                code = re.sub(r" *# doctest:.*", "", text)
                return griffe.DocstringSectionExamples(
                    [(griffe.DocstringSectionKind.examples, code)], title="Example:"
                )
        return griffe.DocstringSectionText(self.prose(text, obj.path if obj.is_module else ""))

    def _args(self, obj: Any, text: str) -> Any:
        signature = {parameter.name: parameter for parameter in getattr(obj, "parameters", ())}
        rows = []
        for names, meaning in entries(text, {name.lstrip("*") for name in signature}):
            of_names = [signature[name] for name in names.split(", ") if name in signature]
            defaults = {str(parameter.default): parameter.default for parameter in of_names}
            default = defaults.popitem()[1] if len(defaults) == 1 else None
            meaning = self.prose(meaning)
            rows.append(griffe.DocstringParameter(names, description=meaning, value=default))
        return griffe.DocstringSectionParameters(rows)

    def _raises(self, text: str) -> Any:
        rows = []
        for names, condition in errors(text):
            where = self.prose.public.get(names, "").rpartition(".")[0]
            known = griffe.ExprName(names, parent=where) if where else names
            rows.append(griffe.DocstringRaise(annotation=known, description=self.prose(condition)))
        return griffe.DocstringSectionRaises(rows)


def _names(module: str) -> str:
    """Return a docstring for a module's BY_NAME, the names that it holds."""
    names = importlib.import_module(module).BY_NAME
    return "By name: " + ", ".join(f"`{name}`" for name in names) + "."

"""Measure and print: `python -m benchmarks [names] [--write]`."""

import argparse

from . import arrays, compiled, drawing, growth, importing, markdown, networks, parallel, scalars

REPORTS = {
    "scalars": scalars.report,
    "arrays": arrays.report,
    "growth": growth.report,
    "compiled": compiled.report,
    "networks": networks.report,
    "drawing": drawing.report,
    "parallel": parallel.report,
    "importing": importing.report,
}


def main() -> None:
    """Run the chosen benchmarks, or all, and print their tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(REPORTS))
    parser.add_argument("--write", action="store_true", help="put the figures into the README")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(REPORTS):
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(REPORTS)}")
    for name in ["machine", *(arguments.names or REPORTS)]:
        text = markdown.machine() if name == "machine" else REPORTS[name]()
        print(f"## {name.capitalize()}\n\n{text}\n", flush=True)
        if arguments.write:
            markdown.write(name, text)


if __name__ == "__main__":
    main()

"""Progress bars: tqdm's, as a widget in notebooks that have ipywidgets, else as text."""

import importlib
import warnings
from typing import Any

with warnings.catch_warnings():  # a notebook without ipywidgets gets text, and need not be told
    warnings.filterwarnings("ignore", "IProgress not found")
    tqdm: Any = importlib.import_module("tqdm.auto").tqdm

tqdm.monitor_interval = 0  # no thread of its own: browsers have none


def progress_bar(batches: Any, verbose: Any) -> Any:
    """Return the batches, and show how many have been taken, unless `verbose` is 0."""
    return tqdm(batches, disable=not verbose, unit=" batches")

"""Other packages: optional ones, imported when first needed, and the progress bars of tqdm."""

import importlib
import warnings
from collections.abc import Iterable
from typing import Any

from autograd_core import MissingPackageError

with warnings.catch_warnings():  # a notebook without ipywidgets gets text, without a warning
    warnings.filterwarnings("ignore", "IProgress not found")
    tqdm: Any = importlib.import_module("tqdm.auto").tqdm

tqdm.monitor_interval = 0  # no thread of its own: browsers have none


def optional(module: str, package: str) -> Any:
    """Return a module of an optional package.

    Args:    module: what to import, such as "sklearn.datasets".
             package: what pip calls it, such as "scikit-learn".
    Raises:  MissingPackageError: it is not installed.
    Example: >>> optional("json", "json").dumps([1])
             '[1]'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingPackageError(
            f"{package}, which is not installed",
            f"this needs it ({error})",
            f"pip install {package}",
        ) from error


def progress_bar(batches: Iterable[Any], verbose: str | int) -> Iterable[Any]:
    """Return the batches, and show how many have been taken, unless `verbose` is 0.

    Example: >>> list(progress_bar([1, 2], verbose=0))
             [1, 2]
    """
    return tqdm(batches, disable=not verbose, unit=" batches")

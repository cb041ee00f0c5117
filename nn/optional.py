"""Optional packages: imported when first needed, and named with their pip command if missing."""

import importlib
from typing import Any

from autograd_core import MissingPackageError


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

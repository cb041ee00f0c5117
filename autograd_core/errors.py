"""What can go wrong, as a tree.

    AutogradError
    ├── DataError            (TypeError)           text, object, complex or ragged data
    ├── ShapeError           (ValueError)          shapes that do not fit each other
    ├── IndexRangeError      (IndexError)          an index outside its axis
    ├── UnsupportedError     (TypeError)           a NumPy function or option without a rule
    ├── CallError            (TypeError)           arguments that a function does not take
    ├── RuleError            (ValueError)          a primitive whose rules do not fit its inputs
    ├── DomainError          (ValueError)          data for which the operation is not defined
    ├── OptionError          (ValueError)          an argument with a choice that does not exist
    ├── FileError            (OSError)             a file that is damaged, foreign or unreachable
    ├── TraceError           (TypeError)           what compile would freeze silently
    ├── MissingNameError     (AttributeError)      an attribute that does not exist
    ├── MissingPackageError  (ImportError)         an optional package that is not installed
    ├── UnknownImportError   (ImportError)         a name that a package does not have
    ├── GradientMismatch     (AssertionError)      analytic and numeric derivative disagree
    └── AnomalyError         (FloatingPointError)  the first NaN or inf
        └── ChangedDataError                       an array changed after it was recorded

Every error says three things: what was given, why it cannot work, and what to write instead.
"""


class AutogradError(Exception):
    """An error in three parts: what was given, why it cannot work, what to write instead.

    Args:    given: the operation and its operands, with shapes.
             why: the reason, in one sentence.
             instead: what to write.
    Example: >>> print(ShapeError("add of (2,) and (3,)", "2 is not 3", "equal lengths"))
             add of (2,) and (3,)
               why:   2 is not 3
               write: equal lengths
    """

    def __init__(self, given: str, why: str, instead: str) -> None:
        super().__init__(given, why, instead)
        self.given = given
        self.why = why
        self.instead = instead

    def __str__(self) -> str:
        return f"{self.given}\n  why:   {self.why}\n  write: {self.instead}"


class DataError(AutogradError, TypeError):
    """The data are not real numbers: text, objects, complex numbers, ragged lists."""


class ShapeError(AutogradError, ValueError):
    """Shapes do not broadcast, align or equal each other."""


class IndexRangeError(AutogradError, IndexError):
    """An index lies outside the axis it selects from."""


class UnsupportedError(AutogradError, TypeError):
    """A NumPy function, or an option of one, for which there is no rule."""


class CallError(AutogradError, TypeError):
    """A call with an argument missing, one too many, or an option that does not exist."""


class RuleError(AutogradError, ValueError):
    """A primitive's rules do not fit its inputs in number, shape or kind."""


class DomainError(AutogradError, ValueError):
    """The operation is not defined for these numbers, such as the inverse of a singular matrix."""


class OptionError(AutogradError, ValueError):
    """An argument names a choice that does not exist, or lies outside its range."""


class FileError(AutogradError, OSError):
    """A file is damaged, of another kind, or cannot be had."""


class TraceError(AutogradError, TypeError):
    """A compiled function takes data out of the graph, where replays would not see them change."""


class MissingNameError(AutogradError, AttributeError):
    """There is no such attribute: one of PyTorch's tensors, or one misspelt."""


class MissingPackageError(AutogradError, ImportError):
    """An optional package is not installed."""


class UnknownImportError(AutogradError, ImportError):
    """A package has no such name: one of another library, or one misspelt."""


class GradientMismatch(AutogradError, AssertionError):
    """The analytic derivative differs from the numeric one."""


class AnomalyError(AutogradError, FloatingPointError):
    """An operation gave the first NaN or inf of a computation."""


class ChangedDataError(AnomalyError):
    """Data changed after an operation had recorded them."""

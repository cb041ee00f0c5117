"""What results are compared with: JAX in float64, leaf by leaf of nested structures."""

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)


def assert_close(actual, expected, rtol=1e-9, atol=1e-12):
    """Hold every number of a nested structure to that of another one of the same structure."""
    if isinstance(expected, dict):
        assert isinstance(actual, dict)
        assert sorted(actual) == sorted(expected)
        for name, part in expected.items():
            assert_close(actual[name], part, rtol, atol)
    elif isinstance(expected, list | tuple):
        assert type(actual) is type(expected)
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected, strict=True):
            assert_close(one, other, rtol, atol)
    elif expected is None:
        assert actual is None
    else:
        assert np.shape(actual) == np.shape(expected)
        np.testing.assert_allclose(actual, expected, rtol, atol)

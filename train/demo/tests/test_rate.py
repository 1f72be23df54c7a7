"""The rate, at points worked out by hand."""

import pytest

from demo.rate import warm_cosine


@pytest.mark.parametrize(("step", "want"), [(0, 0.1), (4, 0.5 * 0.99606), (50, 0.505), (100, 0.01)])
def test_points(step: int, want: float):
    assert warm_cosine(step, steps=100, warmup=10, least=0.01) == pytest.approx(want, abs=1e-4)

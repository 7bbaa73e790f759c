from nearnet.core.runtime.histogram import Histogram, exponential


def test_bounds():
    assert exponential(1.0, 2.0, 4) == (1.0, 2.0, 4.0, 8.0)


def test_counts_and_sum():
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 7.0):
        histogram.observe(value)
    assert (histogram.counts, histogram.total) == ([2, 1, 1], 10.0)

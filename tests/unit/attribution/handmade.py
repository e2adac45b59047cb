"""Journeys as the tests write them, and a strategy that makes any few of them."""

from hypothesis import strategies as st

from attribution.journeys import Journey


def converting(path: str, times: int = 1) -> Journey:
    """`A B` is a journey through channels A and B that converts."""
    return Journey(tuple(path.split()), True, times)


def lost(path: str, times: int = 1) -> Journey:
    """Return a journey without a conversion."""
    return Journey(tuple(path.split()), False, times)


def some_journeys(channels: str = "ABCD") -> st.SearchStrategy[list[Journey]]:
    """Return up to twelve paths through some of these channels, any of them more than once."""
    paths = st.lists(st.sampled_from(channels), min_size=1, max_size=5).map(tuple)
    return st.lists(st.builds(Journey, paths, st.booleans(), st.integers(1, 20)), max_size=12)

"""What is kept ready: bounded by what it takes, whoever asks for what."""

from blog.caching import ROW_BYTES, Kept


def test_what_was_not_asked_for_longest_goes_first() -> None:
    kept: Kept[str] = Kept(most_bytes=20 * ROW_BYTES)
    for name in "abc":
        kept.put(name, name, ROW_BYTES // 2)
    kept.put("d", "d", ROW_BYTES)
    for number in range(9):
        assert kept.get("a") == "a"
        kept.put(number, "x", ROW_BYTES)
    assert kept.get("b") is None and kept.get("a") == "a"
    assert kept.bytes <= kept.most_bytes


def test_rows_of_nothing_are_bounded_too() -> None:
    """Anybody can ask for any number of empty pages, each under an address of its own."""
    kept: Kept[str] = Kept(most_bytes=50 * ROW_BYTES)
    for number in range(1_000):
        kept.put(number, "", 0)
    assert sum(kept.get(number) is not None for number in range(1_000)) == 50


def test_what_is_too_large_is_not_kept_and_the_same_again_counts_once() -> None:
    kept: Kept[str] = Kept(most_bytes=16 * ROW_BYTES)
    kept.put("large", "x", 2 * ROW_BYTES)
    assert kept.get("large") is None
    for _ in range(3):
        kept.put("same", "x", 10)
    assert kept.bytes == ROW_BYTES + 10

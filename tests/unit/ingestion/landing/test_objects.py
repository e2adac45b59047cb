"""Several objects in one line: each is one, wherever the line is cut while it is read."""

import json
import random
import tracemalloc
from collections.abc import Iterator

import pytest

from ingestion.landing.lines import numbered_lines, split
from ingestion.landing.objects import HEAD_BYTES, Cutter, Oversized, Positioned, Remainder, objects_of

MIB = 1_048_576
GOOD = [
    b'{"a":1}',
    b'{"b":{"c":"}{"}}',
    b'{"d":"\\"}\\\\"}',
    b'{"e":[{},{"f":"{"}]}',
    "{'g':'ß✓'}".replace("'", '"').encode(),
]


def cut(line: bytes, *sizes: int) -> list[Positioned]:
    """The pieces of a line that is read in parts of these sizes, and then of the last one."""
    cutter = Cutter()
    found: list[Positioned] = []
    at = 0
    for size in sizes:
        found += cutter.cut(line[at : at + size])
        at += size
    while at < len(line):
        found += cutter.cut(line[at : at + sizes[-1]])
        at += sizes[-1]
    return [*found, *cutter.end()]


@pytest.mark.parametrize("between", [b"", b" ", b"\t \r", b"\xef\xbb\xbf", b"\x1e", b" \x1e\xef\xbb\xbf"])
def test_objects_of_one_line_are_separated_by_any_blanks_and_marks(between: bytes) -> None:
    expected = list(enumerate(GOOD, 1))
    line = between + between.join(GOOD) + between
    assert objects_of(line) == expected
    for size in (1, 2, 3, 7):
        assert cut(line, size) == expected


@pytest.mark.parametrize("seed", range(20))
def test_objects_are_the_same_wherever_a_read_ends(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    texts = ["}", "{", '"', "\\", "\\\\", "ü", "", "}{", "\x1e"]
    objects = [
        json.dumps(
            {chance.choice(texts): [chance.choice(texts), {"n": chance.random()}] for _ in range(chance.randrange(4))},
            ensure_ascii=chance.random() < 0.5,
        ).encode()
        for _ in range(20)
    ]
    line = b"".join(objects)
    assert cut(line, *(chance.randrange(1, 9) for _ in range(50))) == list(enumerate(objects, 1))


@pytest.mark.parametrize(
    "rest",
    [
        b'{"b":', b'{"b":tru}{"c":3}', b",{}", b"]", b"garbage{}", b'[{"b":2}]', b"1", b'"{}"',
        b'{"b":01}{}', b'{"b":NaN}{}', b"}", b"\xef", b'{"b":"' + b"\\", b"{" * 3_000 + b"}" * 3_000 + b"{}",
    ],
)  # fmt: skip
def test_content_that_cannot_be_parsed_is_one_piece_with_all_that_follows(rest: bytes) -> None:
    expected = [(1, b'{"a":1}'), (2, b"{}"), (3, Remainder(rest[:HEAD_BYTES], len(rest)))]
    for end in (b"", b"\r"):
        line = b'{"a":1} {}' + rest + end
        assert objects_of(line) == expected
        assert cut(line, 1) == expected


@pytest.mark.parametrize(
    "line",
    [b"garbage", b"[{},{}]", b"[{}]{}", b"1 {}", b'{"a":', b'"{}"{}', b",{}", b"{}\0", b"{} ,{}", b"{},", b"{}\xef"],
)
def test_a_line_that_does_not_begin_with_two_objects_is_one_piece(line: bytes) -> None:
    assert objects_of(line) == [(1, line)]
    rest = b"x" * 2 * MIB
    for size in (1_000, 400_000, 3 * MIB):
        [(position, piece)] = cut(line + rest, size)
        assert position == 1
        assert isinstance(piece, Oversized)
        assert piece.line_bytes == len(line + rest)
        assert piece.head.startswith(line[:2])


@pytest.mark.parametrize("line", [b"", b" \r", b"\xef\xbb\xbf", b"\x1e \x1e"])
def test_a_line_of_marks_and_blanks_holds_nothing(line: bytes) -> None:
    assert objects_of(line) == []


def test_objects_with_values_that_have_reasons_of_their_own_do_not_end_the_line() -> None:
    line = b'{"a":"\\ud800"}{"b":"\xff"}{"c":' + b"9" * 400 + b"}{}"
    assert [position for position, _ in objects_of(line)] == [1, 2, 3, 4]


def test_an_object_over_1_mib_is_given_by_its_head_and_length_and_the_next_ones_are_objects() -> None:
    long = b'{"a":"' + b"x" * MIB + b'"}'
    allowed = b'{"a":"' + b"x" * (MIB - 8) + b'"}'
    line = b"{}" + long + allowed + long + b"{}\r"
    expected = [
        (1, b"{}"), (2, Oversized(long[:HEAD_BYTES], len(long))), (3, allowed),
        (4, Oversized(long[:HEAD_BYTES], len(long))), (5, b"{}"),
    ]  # fmt: skip
    assert cut(line, len(line)) == expected
    assert cut(line, 300_000) == expected
    chunks = [line[at : at + 983_040] for at in range(0, len(line), 983_040)]
    assert [(p, piece) for batch in split(iter([*chunks, b"\n{}"])) for _, p, piece in numbered_lines(batch)] == [
        *expected,
        (1, b"{}"),
    ]


def test_memory_stays_bounded_for_a_line_of_any_number_of_objects() -> None:
    chunk = b'{"n":"%s"}' % (b"x" * 292) * 3_277

    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield chunk

    count, last = 0, 0
    tracemalloc.start()
    for batch in split(chunks()):
        for _, position, _ in numbered_lines(batch):
            count, last = count + 1, position
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (count, last) == (131_080, 131_080)
    assert peak < 8 * MIB


def test_a_long_line_of_braces_that_never_close_is_soon_given_up() -> None:
    chunks = (b"{" * 983_040 for _ in range(40))
    [batch] = split(chunks)
    assert [(number, position, type(piece)) for number, position, piece in numbered_lines(batch)] == [(1, 1, Oversized)]


def test_blank_content_has_no_batches() -> None:
    chunks = (b"\n" * 983_040 for _ in range(500))
    assert list(split(chunks)) == []

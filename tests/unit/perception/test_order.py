from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.perception.drawing import placed, shuffled

from heliograph.media.document import Word
from heliograph.media.geometry import Box
from heliograph.perception.order import arrange

W, H = 600.0, 800.0
LEFT = [
    "Alpha prose that runs on from side to side",
    "of its own narrow column and then goes on",
    "to a second line and to a third line too",
    "until at last the paragraph comes to end",
    "and a new one starts with as many words",
]
RIGHT = [
    "Omega prose stands on the other side of it",
    "with lines that fill their column as well",
    "and should be read after all of the first",
    "never in turns with the lines beside them",
    "or nobody would understand a single word",
]


def column(x: float, y: float, lines: list[str], size: float = 10) -> list[Word]:
    return [word for number, line in enumerate(lines) for word in placed(x, y + 1.4 * size * number, line, size=size)]


def lines(words: list[Word], skew: float = 0.0) -> list[str]:
    return [line.text for line in arrange(words, W, H, skew=skew).lines]


def test_a_label_and_its_amount_stay_on_one_line() -> None:
    words: list[Word] = []
    rows = [("Sourdough loaf", "4.20"), ("Oat milk", "2.15"), ("Croissant", "3.80"), ("Rye bread", "5.05"), ("Total amount due", "15.20")]
    for number, (name, amount) in enumerate(rows):
        words += placed(50, 100 + 16 * number, name) + placed(500, 101 + 16 * number, amount)
    assert lines(shuffled(words)) == [f"{name} {amount}" for name, amount in rows]


def test_two_columns_are_read_one_after_the_other_between_title_and_footer() -> None:
    title, footer = placed(80, 60, "A title that runs across both of the columns", size=18), placed(290, 770, "Page 3")
    words = title + column(50, 120, LEFT) + column(320, 125, RIGHT) + footer
    assert lines(shuffled(words)) == ["A title that runs across both of the columns", *LEFT, *RIGHT, "Page 3"]


def test_three_columns_are_read_from_left_to_right() -> None:
    texts = [[f"{name} words in line {number} here" for number in range(6)] for name in ("left", "middle", "right")]
    words = [word for x, part in zip((30, 220, 410), texts, strict=True) for word in column(x, 100, part)]
    assert lines(shuffled(words)) == [line for part in texts for line in part]


def test_columns_with_a_narrow_gutter_are_columns_when_the_right_one_begins_at_one_place() -> None:
    left, right = LEFT + LEFT, RIGHT + RIGHT
    widest = max(word.box.x1 * W for word in column(50, 100, left))
    words = column(50, 100, left) + column(widest + 7, 100, right)
    assert lines(words) == [*left, *right]


def test_notes_in_the_margin_of_prose_are_read_apart_from_it() -> None:
    notes = ["Correspondence to:", "Dr N Harbour,", "Leith, Scotland", "Received", "13 May 2003"]
    words = column(50, 104, notes, size=9) + column(150, 100, LEFT + RIGHT, size=11)
    assert lines(words) == [*notes, *LEFT, *RIGHT]


def test_a_column_of_words_beside_numbers_out_of_step_stays_with_its_rows() -> None:
    words = column(220, 103, LEFT + RIGHT)
    for n in range(10):
        words += placed(50, 100 + 14 * n, "19.50") + placed(120, 100 + 14 * n, "303")
    assert all(line.startswith("19.50 303 ") for line in lines(words))


def test_a_line_in_three_parts_at_the_foot_is_a_running_footer() -> None:
    words = (
        column(50, 100, LEFT) + placed(50, 760, "Journal of Harbours") + placed(300, 760, "1") + placed(450, 760, "March 2014 | Volume 8")
    )
    assert arrange(words, W, H).blocks[-1].kind == "page-footer"
    words = column(50, 100, LEFT) + placed(50, 760, "Total") + placed(450, 760, "98.88")
    assert arrange(words, W, H).blocks[-1].kind == "text"


def test_addresses_side_by_side_are_not_mixed() -> None:
    seller, buyer = ["Lantern Works Ltd", "4 Quay Road", "Bristol BS1 4DJ"], ["Harbour Cafe Group", "19 Long Street", "Cardiff CF10 1AA"]
    words = column(50, 100, seller) + column(340, 100, buyer) + placed(50, 200, "Invoice for goods delivered in the month of March")
    assert lines(shuffled(words)) == [*seller, *buyer, "Invoice for goods delivered in the month of March"]


def test_labels_with_values_are_no_columns() -> None:
    rows = [
        ("Invoice number:", "INV 2041"),
        ("Invoice date:", "14 March 2024"),
        ("Customer name:", "Harbour Cafe Group"),
        ("Terms of payment:", "30 days net"),
    ]
    words = [word for n, (a, b) in enumerate(rows) for word in placed(50, 100 + 16 * n, a) + placed(250, 100 + 16 * n, b)]
    assert lines(shuffled(words)) == [f"{a} {b}" for a, b in rows]


def test_rows_of_a_leaning_page_stay_together_when_the_lean_is_known() -> None:
    slope = 0.05  # 2.9 degrees; over 450 points more than two rows
    words: list[Word] = []
    for number in range(6):
        for word in placed(50, 100 + 14 * number, f"Item number {number}") + placed(500, 100 + 14 * number, f"{number}.50"):
            words.append(Word(word.text, Box(word.box.x, word.box.y + slope * word.box.cx * W / H, word.box.w, word.box.h), size=10))
    assert lines(shuffled(words), skew=2.862) == [f"Item number {n} {n}.50" for n in range(6)]


def test_right_to_left_lines_begin_on_the_right() -> None:
    assert lines(placed(50, 100, "שלוש שתיים אחת")) == ["אחת שתיים שלוש"]


def test_text_on_end_along_the_margin_does_not_cut_through_lines() -> None:
    upright = column(80, 100, LEFT)
    margin = [Word(text, Box.from_xyxy(20, y, 30, y + 60, width=W, height=H), size=10) for text, y in (("archive", 170), ("copy", 100))]
    assert lines([*margin, *upright]) == [*LEFT, "archive copy"]


def test_blocks_are_told_apart_by_what_they_are() -> None:
    words = (
        placed(50, 20, "Quarterly report", size=8)
        + placed(50, 90, "How light becomes messages", size=24)
        + placed(50, 150, "First principles", size=14)
        + column(50, 190, LEFT)
        + placed(50, 290, "1. first point of the list")
        + placed(50, 306, "2. second point of the list")
        + placed(50, 350, "Figure 2 A mirror and a shutter")
        + placed(290, 780, "Page 4 of 9", size=8)
    )
    arranged = arrange(shuffled(words), W, H)
    kinds = [(block.kind, block.level) for block in arranged.blocks]
    assert kinds == [
        ("page-header", 0),
        ("title", 1),
        ("section-header", 2),
        ("text", 0),
        ("list-item", 0),
        ("list-item", 0),
        ("caption", 0),
        ("page-footer", 0),
    ]
    assert all(arranged.lines[i].block == number for number, block in enumerate(arranged.blocks) for i in block.lines)


def test_a_page_without_words_has_no_lines() -> None:
    assert arrange([], W, H).lines == []
    assert arrange([Word("  ", Box(0, 0, 0.1, 0.1))], W, H).words == []


boxes = st.builds(
    lambda x, y, w, h, text: Word(text, Box(x, y, w, h)),
    st.floats(0, 0.9), st.floats(0, 0.95), st.floats(0.0, 0.1), st.floats(0.0, 0.05), st.text("ab1.:•", min_size=1, max_size=6),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(boxes, max_size=40), st.floats(-10, 10))
def test_every_word_is_in_exactly_one_line_and_every_line_in_one_block(words: list[Word], skew: float) -> None:
    arranged = arrange(words, W, H, skew=skew)
    assert sorted(word.text for word in arranged.words) == sorted(word.text for word in words)
    assert sorted(i for line in arranged.lines for i in line.words) == list(range(len(words)))
    assert sorted(i for block in arranged.blocks for i in block.lines) == list(range(len(arranged.lines)))
    assert all(arranged.words[i].line == number for number, line in enumerate(arranged.lines) for i in line.words)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_words_in_the_file_does_not_matter(seed: int) -> None:
    words = column(50, 120, LEFT) + column(320, 125, RIGHT)
    assert lines(shuffled(words, seed)) == [*LEFT, *RIGHT]

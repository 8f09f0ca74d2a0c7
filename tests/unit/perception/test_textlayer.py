from __future__ import annotations

from tests.unit.perception.drawing import placed

from heliograph.media.content import PageContent
from heliograph.media.document import Page, Word
from heliograph.media.geometry import Box
from heliograph.perception.order import arrange
from heliograph.perception.textlayer import agrees, merged, needs_pixels


def test_only_pages_and_pictures_without_a_good_layer_are_read_from_pixels() -> None:
    page = Page(0, 600, 800)
    assert not needs_pixels(PageContent(page, "good"))
    assert needs_pixels(PageContent(page, "good", regions=[Box(0, 0, 0.5, 0.5)]))
    assert all(needs_pixels(PageContent(page, verdict)) for verdict in ("missing", "garbled", "hidden"))
    assert not needs_pixels(PageContent(page, "missing", structured=True))
    assert needs_pixels(PageContent(page, "good", regions=[Box(0, 0, 0.5, 0.5)], structured=True))


def test_a_hidden_layer_is_taken_when_its_lines_say_what_is_seen() -> None:
    texts = [f"line number {n} of the hidden layer" for n in range(8)]
    arranged = arrange([word for n, text in enumerate(texts) for word in placed(50, 100 + 20 * n, text)], 600, 800)
    seen = {line.box: line.text for line in arranged.lines}
    assert agrees(arranged.words, arranged.lines, lambda box: seen[box].upper().replace(" ", ""))
    assert not agrees(arranged.words, arranged.lines, lambda box: seen[box][::-1])
    assert not agrees([], [], lambda box: "")


def test_words_read_from_pixels_are_added_only_where_the_layer_has_none() -> None:
    layer = [Word("Total", Box(0.1, 0.1, 0.1, 0.02))]
    seen = [Word("Totol", Box(0.101, 0.101, 0.1, 0.02)), Word("stamp", Box(0.5, 0.5, 0.1, 0.02))]
    assert [word.text for word in merged(layer, seen)] == ["Total", "stamp"]

"""Random macro files: the expansion is that of a preprocessor we did not write, and every token of it knows where it is from."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings, strategies

from dialect_testing import PATH, Expansion, macro_files, peer_tokens
from pixel_core.dialects.conditions import BadCondition, evaluate_condition
from pixel_core.findings import Span

# 50 files in a normal run, 5,000 in scripts/soak.
FILES = settings().max_examples // 2


@settings(max_examples=FILES)
@given(macro_files())
def test_the_expansion_is_that_of_a_c_preprocessor(text: str) -> None:
    expansion = Expansion(text)
    assert expansion.messages == []
    assert [token.text for token in expansion.tokens()] == peer_tokens(text)


@settings(max_examples=FILES)
@given(macro_files())
def test_every_token_knows_where_it_was_written(text: str) -> None:
    expansion = Expansion(text)
    result = expansion.result
    assert [segment.start for segment in result.segments] == sorted({segment.start for segment in result.segments})
    covered = "".join(result.text[start:end] for _, start, end in result.pieces(Span(0, len(result.text))))
    assert covered == result.text
    for token in expansion.tokens():
        pieces = list(result.pieces(Span(token.start, token.end)))
        assert len(pieces) == 1, "a token comes from one place"
        segment = pieces[0][0]
        spelled = segment.part(token.start, token.end)
        if segment.is_exact:
            assert text[spelled.start : spelled.end] == token.text
        if token.text[0].isdigit():
            # Each number occurs once in the file, so there is one right answer.
            assert spelled == Span(text.index(token.text), text.index(token.text) + len(token.text))
            shown = result.origin(Span(token.start, token.end))
            assert shown.location.path == PATH
            assert shown.location.span is not None
            line = expansion.source.line(expansion.source.position(spelled.start)[0])
            if line.lstrip().startswith("#"):
                # Written in a macro: shown at its use, with a label at the definition.
                used = text[shown.location.span.start : shown.location.span.end]
                assert used.startswith(segment.macro)
                assert not expansion.source.line(expansion.source.position(shown.location.span.start)[0]).lstrip().startswith("#")
                assert [label.location.span for label in shown.labels] == [spelled]
                assert result.editable(Span(token.start, token.end)) is None
            else:
                assert shown.location.span == spelled
                assert shown.labels == ()


@given(strategies.text(alphabet="#defin ucluf()AB,\n\\/*\"'{}:01<>|&é\t", max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    result = Expansion(text).result
    assert "".join(result.text[start:end] for _, start, end in result.pieces(Span(0, len(result.text)))) == result.text


@given(strategies.text(alphabet="01 +-*/%()<>=!&|^~?:uAx", max_size=40))
def test_no_condition_breaks_it(text: str) -> None:
    tokens = Expansion(text).tokens()
    with suppress(BadCondition):
        assert evaluate_condition(tokens) in (True, False)

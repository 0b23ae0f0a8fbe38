"""Chat templates are programs of strangers: what they may do, and what becomes of those that do too much."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pixel_core.errors import ModelUnusable
from pixel_core.inference import apply_chat_template as module
from pixel_core.inference.apply_chat_template import apply_chat_template
from pixel_core.inference.vocabulary import Vocabulary, read_vocabulary

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi <|im_end|> {{ 7 * 7 }}"}]


def vocabulary(template: str) -> Vocabulary:
    texts = {"model": "gpt2", "pre": "gpt-2", "tokens": ("<s>", "</s>"), "token_type": (3, 3), "bos_token_id": 0, "eos_token_id": 1}
    read = read_vocabulary({f"tokenizer.ggml.{key}": value for key, value in texts.items()})
    return replace(read, chat_template=template)


def applied(template: str) -> str:
    return apply_chat_template(vocabulary(template), MESSAGES)


def refused(template: str) -> str:
    with pytest.raises(ModelUnusable) as caught:
        applied(template)
    return caught.value.message


def test_a_template_makes_text_of_messages() -> None:
    template = (
        "{{ bos_token }}{% for message in messages %}\n    <{{ message.role }}>{{ message['content'] | trim }}{{ eos_token }}\n"
        "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    assert applied(template) == "<s>    <system>Be brief.</s>\n    <user>Hi <|im_end|> {{ 7 * 7 }}</s>\n<assistant>"


def test_what_the_library_that_trains_models_offers_is_there() -> None:
    assert applied("{{ messages[0] | tojson }}") == '{"role": "system", "content": "Be brief."}'
    assert applied("{% for m in messages %}{% if loop.index > 1 %}{% break %}{% endif %}{{ m.role }}{% endfor %}") == "system"
    assert applied("{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}") == "2"
    assert applied("{{ strftime_now('%Y') }}").isdigit()


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% for %}", "line 1: Expected an expression, got 'end of statement block'"),
        ("{{ raise_exception('roles must alternate') }}", "it refuses these messages: roles must alternate"),
        ("{{ ''.__class__.__mro__ }}", "SecurityError: access to attribute '__class__' of 'str' object is unsafe."),
        ("{{ messages.append(1) }}", "SecurityError: access to attribute 'append' of 'list' object is unsafe."),
        ("{{ range(10 ** 9) | list }}", "OverflowError: Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000)."),
        ("{% for a in range(99999) %}{{ 'x' * 1000 }}{% endfor %}", "it makes more than 4,194,304 characters"),
        ("{{ 'x' * (2 ** 40) }}", "it needs too much memory"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "it is nested too deeply"),
        ("{{ 1 / 0 }}", "ZeroDivisionError: division by zero"),
        ("{% include '/etc/passwd' %}", "TypeError: no loader for this environment specified"),
    ],
)  # fmt: skip
def test_a_hostile_template_is_one_sentence(template: str, message: str) -> None:
    assert refused(template).startswith(f"the chat template of the model cannot be rendered: {message}")


def test_a_model_may_have_none() -> None:
    assert refused("") == "the model has no chat template"


def test_a_template_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_S", 1.0)
    endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    assert refused(endless) == "the chat template of the model did not end within 1 s"

"""The shape of coach.toml: which keys there are, what each may hold, and which of them a workspace may set.

`docs/coach.schema.json` is made from these classes, and `read_settings` checks files against them: there is one description.
A field's `title` completes the sentence "must be …"; its `description` says what it is for.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal, Union

import msgspec
from msgspec import UNSET, Meta, UnsetType

SCHEMA_ID: Final = "https://json-schema.org/draft/2020-12/schema"

WORKSPACE_KEYS: Final = frozenset({"candidates", "limits", "protected", "criteria", "playbooks"})
"""What a file of a workspace may say. Addresses, executables, keys and money per day are the user's alone: opening a folder of
somebody else's must not make the coach run its programs, send texts to its servers or spend more."""

_Url = Annotated[
    str,
    Meta(
        title="an address that begins with http:// or https://",
        pattern=r"^https?://[^\s/]+",
        max_length=2048,
        description="Base address of the service; left out, the service's own default.",
    ),
]
_Model = Annotated[
    str,
    Meta(
        title="a name",
        min_length=1,
        max_length=4096,
        description="Name of the model; for `embedded` and `pixel` the path of a model's file, for `scripted` that of a script.",
    ),
]
_ContextTokens = Annotated[
    int, Meta(title="a whole number from 512 to 1,048,576", ge=512, le=1_048_576, description="Context to ask for, in tokens.")
]
_KeyVariable = Annotated[
    str,
    Meta(
        title="the name of an environment variable",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        max_length=200,
        description="Environment variable that holds the key. The key itself never stands in a file.",
    ),
]
_Program = Annotated[
    str, Meta(title="an absolute path", min_length=1, max_length=4096, description="The gemini executable; left out, the one on PATH.")
]
_Timeout = Annotated[
    float, Meta(title="a number of seconds above 0, at most 86,400", gt=0, le=86_400, description="For one whole reply, in seconds.")
]
_Threads = Annotated[
    int, Meta(title="a whole number from 1 to 1,024", ge=1, le=1024, description="Of the processor, for `embedded`. Default: half of them.")
]
_Glob = Annotated[str, Meta(min_length=1, max_length=500)]


class GeneratorTable(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What writes."""

    service: Annotated[
        Literal["ollama", "llama.cpp", "openai", "embedded", "pixel", "scripted"],
        Meta(title='one of "ollama", "llama.cpp", "openai", "embedded", "pixel", "scripted"', description="Which service answers."),
    ]
    url: Union[_Url, UnsetType] = UNSET
    model: Union[_Model, UnsetType] = UNSET
    context_tokens: Union[_ContextTokens, UnsetType] = UNSET
    key_variable: Union[_KeyVariable, UnsetType] = UNSET
    timeout_s: Union[_Timeout, UnsetType] = UNSET
    threads: Union[_Threads, UnsetType] = UNSET


class ReviewerTable(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What reviews."""

    service: Annotated[
        Literal["gemini", "gemini-cli", "scripted"],
        Meta(title='one of "gemini", "gemini-cli", "scripted"', description="Which service answers."),
    ]
    url: Union[_Url, UnsetType] = UNSET
    model: Union[_Model, UnsetType] = UNSET
    key_variable: Union[_KeyVariable, UnsetType] = UNSET
    program: Union[_Program, UnsetType] = UNSET
    timeout_s: Union[_Timeout, UnsetType] = UNSET


class LimitsTable(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What one run of a task may spend. A task's own limits, and a workspace's, can only be smaller."""

    rounds: Union[
        Annotated[
            int,
            Meta(title="a whole number from 1 to 20", ge=1, le=20, description="Attempts that are answered with feedback. Default 3."),
        ],
        UnsetType,
    ] = UNSET
    seconds: Union[
        Annotated[
            float,
            Meta(title="a number of seconds above 0, at most 86,400", gt=0, le=86_400, description="Wall time. Default 1800."),
        ],
        UnsetType,
    ] = UNSET
    dollars: Union[
        Annotated[
            float,
            Meta(title="a number of dollars from 0 to 1,000", ge=0, le=1000, description="Of all paid requests. Default 0.05."),
        ],
        UnsetType,
    ] = UNSET
    requests: Union[
        Annotated[
            int,
            Meta(title="a whole number from 0 to 10,000", ge=0, le=10_000, description="Requests to the reviewer. Default 20."),
        ],
        UnsetType,
    ] = UNSET


class CriterionTable(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One thing that a review judges."""

    id: Annotated[
        str,
        Meta(
            title="a word of lower-case letters, digits and `_`",
            pattern="^[a-z][a-z0-9_]*$",
            max_length=60,
            description="What the score is called.",
        ),
    ]
    question: Annotated[
        str, Meta(title="a question of 1 to 500 characters", min_length=1, max_length=500, description="What the reviewer is asked.")
    ]
    weight: Union[
        Annotated[
            float,
            Meta(
                title="a number above 0, at most 100",
                gt=0,
                le=100,
                description="Its share of the score, relative to the others. Default 1.",
            ),
        ],
        UnsetType,
    ] = UNSET


class CoachFile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The settings of the coach: a user's coach.toml, and in part `[coach]` of a workspace's pixel.toml."""

    generator: Union[GeneratorTable, UnsetType] = UNSET
    reviewer: Union[ReviewerTable, UnsetType] = UNSET
    review: Union[
        Annotated[bool, Meta(title="true or false", description="false is the mode `local only`: nothing is reviewed, nothing accepted.")],
        UnsetType,
    ] = UNSET
    candidates: Union[
        Annotated[
            int,
            Meta(
                title="a whole number from 1 to 64",
                ge=1,
                le=64,
                description="Texts written in each round; the evidence selects among them. A workspace may set it. Default 1.",
            ),
        ],
        UnsetType,
    ] = UNSET
    temperature: Union[
        Annotated[
            float,
            Meta(title="a number from 0 to 2", ge=0, le=2, description="Of the first candidate; others are drawn warmer. Default 0.2."),
        ],
        UnsetType,
    ] = UNSET
    limits: Union[LimitsTable, UnsetType] = UNSET
    dollars_per_day: Union[
        Annotated[
            float,
            Meta(title="a number of dollars from 0 to 10,000", ge=0, le=10_000, description="Of all tasks together. Default 1.00."),
        ],
        UnsetType,
    ] = UNSET
    requests_per_day: Union[
        Annotated[
            int,
            Meta(title="a whole number from 0 to 1,000,000", ge=0, le=1_000_000, description="To the reviewer. Default 200."),
        ],
        UnsetType,
    ] = UNSET
    protected: Union[
        Annotated[
            list[_Glob],
            Meta(
                title="an array of at most 500 globs",
                max_length=500,
                description="What the coach never writes, besides what it never may. A workspace may add to it.",
            ),
        ],
        UnsetType,
    ] = UNSET
    criteria: Union[
        Annotated[
            list[CriterionTable],
            Meta(
                title="1 to 20 tables `[[criteria]]`",
                min_length=1,
                max_length=20,
                description="What a review judges, instead of the five that are built in. A workspace may set them.",
            ),
        ],
        UnsetType,
    ] = UNSET
    playbooks: Union[
        Annotated[
            list[_Glob],
            Meta(
                title="an array of at most 100 paths",
                max_length=100,
                description="TOML files with phases, besides those that are shipped; relative to the file that names them. "
                "A workspace may name files inside itself.",
            ),
        ],
        UnsetType,
    ] = UNSET
    engine: Union[
        Annotated[
            Literal["auto", "device", "interpreter", "both"],
            Meta(title='one of "auto", "device", "interpreter", "both"', description="What executes kernels. Default auto."),
        ],
        UnsetType,
    ] = UNSET
    python: Union[
        Annotated[str, Meta(title="an absolute path", min_length=1, max_length=4096, description="Interpreter for references and tests.")],
        UnsetType,
    ] = UNSET
    prices: Union[
        Annotated[
            str, Meta(title="an absolute path", min_length=1, max_length=4096, description="A price table instead of the shipped one.")
        ],
        UnsetType,
    ] = UNSET


def coach_schema() -> str:
    """`docs/coach.schema.json`: the JSON Schema of coach.toml, for editors that check TOML."""
    (root,), parts = msgspec.json.schema_components([CoachFile], ref_template="#/$defs/{name}")
    body: dict[str, Any] = dict(parts.pop("CoachFile"))
    value = {"$schema": SCHEMA_ID, "title": "pixel-lsp: settings of the coach", **_without_title(body), "$defs": parts}
    if root != {"$ref": "#/$defs/CoachFile"}:
        raise AssertionError(root)
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _without_title(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "title"}

"""Where an error of naga belongs: its own place where that is exact, else the place that our syntax tree finds from its words. Pure.

naga (29) gives no place at all for what concerns an entry point or a type, names the whole function for a duplicate `case`, the variable
instead of its value, and in its header the first mark of the drawing, which for a redefinition is the first definition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pixel_core.engines.compilers import CompilerMessage, MessageLabel
from pixel_core.findings import Span
from pixel_core.kernels.load_shader import LoadedShader
from pixel_core.wgsl.attributes import attribute_of
from pixel_core.wgsl.syntax import (
    Attribute,
    Call,
    Declaration,
    Discard,
    Expression,
    FunctionDeclaration,
    Identifier,
    Index,
    Node,
    NumberLiteral,
    Parameter,
    StructDeclaration,
    Switch,
    SwitchClause,
    VariableDeclaration,
)
from pixel_core.wgsl.walk import walk

_EXPLAINING = (
    "previous definition",
    "this is an immutable binding",
    "a value with elements",
    "this argument has type",
    "naga::ir::Function",
)
"""How the words begin at a mark that explains the error and is not it."""

_FRAGMENT_FUNCTIONS = ("textureSample", "dpdx", "dpdy", "fwidth")
"""How the names of functions begin that only fragment shaders may call; those with an explicit level are for all."""

_EVERYWHERE = ("textureSampleLevel", "textureSampleGrad", "textureSampleCompareLevel", "textureSampleBaseClampToEdge")


def place_naga(message: CompilerMessage, loaded: LoadedShader, hints: Sequence[Span] = ()) -> Span | None:
    """The exact place of an error.

    Args:
        message: What naga says.
        loaded: The shader that it says it about.
        hints: Places of another compiler's errors; they decide where naga's words fit several places, and stand in where they fit none.

    Returns:
        None when neither naga nor the tree tells.
    """
    for repair in _REPAIRS:
        found = repair(message, loaded)
        if found:
            return next((span for span in found if any(_overlap(span, hint) for hint in hints)), found[0])
    label = _telling_mark(message)
    if label is not None:
        return Span(label.start, label.end)
    if message.start >= 0:
        return Span(message.start, message.end)
    named = _declaration(message, loaded)
    if named is not None:
        return named.name.span
    # Both compilers stop at the first error of meaning, and as a rule it is the same one.
    return hints[0] if hints else None


def _overlap(one: Span, other: Span) -> bool:
    return one.start <= other.end and other.start <= one.end


def _telling_mark(message: CompilerMessage) -> MessageLabel | None:
    telling = [label for label in message.labels if not label.text.startswith(_EXPLAINING)]
    with_words = [label for label in telling if label.text]
    if "is cyclic" in message.message and with_words:
        return with_words[0]
    return (with_words or telling or [None])[-1]


def _declaration(message: CompilerMessage, loaded: LoadedShader) -> FunctionDeclaration | StructDeclaration | VariableDeclaration | None:
    """What the title names: `Function [0] 'f' is invalid`, `Entry point main at Compute is invalid`."""
    title = message.context[0] if message.context else ""
    name = title.split("'")[1] if title.count("'") >= 2 else title.split(" ")[2] if title.startswith("Entry point ") else ""
    return next((one for one in _named(loaded) if one.name.text == name), None)


def _named(loaded: LoadedShader) -> Iterator[FunctionDeclaration | StructDeclaration | VariableDeclaration]:
    for declaration in loaded.tree.declarations:
        if isinstance(declaration, (FunctionDeclaration, StructDeclaration, VariableDeclaration)):
            yield declaration


def _below(message: CompilerMessage, loaded: LoadedShader) -> Iterator[Node]:
    """Every node of the function that the title names; of a function that naga does not name, every node of the module."""
    named = _declaration(message, loaded)
    return walk(named if named is not None else loaded.tree)


def _value_of_declaration(message: CompilerMessage, loaded: LoadedShader) -> list[Span]:
    # "the type of `x` is expected to be `f32`, but got `u32`" marks the name.
    if not message.message.startswith("the type of `"):
        return []
    return [
        node.initializer.span
        for node in walk(loaded.tree)
        if isinstance(node, VariableDeclaration) and node.name.start == message.start and node.initializer is not None
    ]


def _part_of_variable(message: CompilerMessage, loaded: LoadedShader) -> list[Span]:
    # A variable is marked from its `var` to its `;`.
    if not any(
        label.text.startswith(("naga::ir::GlobalVariable", "naga::ir::LocalVariable", "naga::ir::Override")) for label in message.labels
    ):
        return []
    declared = [node for node in walk(loaded.tree) if isinstance(node, VariableDeclaration) and _holds(node, message)]
    if not declared:
        return []
    variable = declared[-1]
    text = message.message
    identity = attribute_of(variable.attributes, "id")
    if text.startswith("Override ID") and identity is not None:
        return [identity.span]
    if text.startswith("Initializer") and variable.initializer is not None:
        return [variable.initializer.span]
    about_type = any(word in text for word in ("stride", "lignment", "type", "Type"))
    return [variable.type.span if about_type and variable.type is not None else variable.name.span]


def _holds(node: VariableDeclaration, message: CompilerMessage) -> bool:
    places = [label.start for label in message.labels if "Variable" in label.text or "Override" in label.text]
    return any(node.start <= place < node.end for place in places)


def _part_of_signature(message: CompilerMessage, loaded: LoadedShader) -> list[Span]:
    function = _declaration(message, loaded)
    if not isinstance(function, FunctionDeclaration):
        return []
    causes = message.context[1:]
    if any("return type cannot be returned" in cause for cause in causes) and function.return_type is not None:
        return [function.return_type.span]
    if message.message.startswith("Workgroup size"):
        return _workgroup_size(function)
    if message.message.startswith("The `return` expression None") and function.body is not None and not _telling_mark(message):
        # Nothing is returned at the end.
        return [Span(function.body.end - 1, function.body.end)]
    for cause in causes:
        words = cause.split(" ")
        if words[0] != "Argument":
            continue
        number = next((word for word in words[1:] if word.isascii() and word.isdigit()), "")
        if number and int(number) < len(function.parameters):
            return [_argument(function.parameters[int(number)], message, loaded)]
    return []


def _argument(parameter: Parameter, message: CompilerMessage, loaded: LoadedShader) -> Span:
    """The parameter; of one whose type is a structure, the member with the built-in value that the message names."""
    struct = loaded.names.declared(parameter.type)
    if isinstance(struct, StructDeclaration):
        wanted = next((word for word in message.message.split(" ") if word[:1].isupper() and word not in ("Built-in", "Found")), "")
        for member in struct.members:
            builtin = attribute_of(member.attributes, "builtin")
            argument = builtin.arguments[0] if builtin is not None and builtin.arguments else None
            if isinstance(argument, Identifier) and argument.name.text.replace("_", "") == wanted.lower():
                return member.span
    return parameter.type.span if "pointer" in message.message else parameter.span


def _workgroup_size(function: FunctionDeclaration) -> list[Span]:
    size = attribute_of(function.attributes, "workgroup_size")
    if size is None:
        return []
    zero = [one.span for one in size.arguments or () if isinstance(one, NumberLiteral) and one.value == 0]
    return zero or [size.span]


def _member(message: CompilerMessage, loaded: LoadedShader) -> list[Span]:
    # "Field 'a' can't be dynamically-sized" of "Type [2] 'S' is invalid".
    struct = _declaration(message, loaded)
    if not isinstance(struct, StructDeclaration) or not message.message.startswith("Field '"):
        return []
    name = message.message.split("'")[1]
    return [member.span for member in struct.members if member.name.text == name]


def _clause(message: CompilerMessage, loaded: LoadedShader) -> list[Span]:
    text = message.message
    switches = [node for node in _below(message, loaded) if isinstance(node, Switch)] if "`switch`" in text or "`default`" in text else []
    if text.startswith("The `switch` is missing"):
        return [Span(node.start, node.selector.end) for node in switches if all(None not in clause.selectors for clause in node.clauses)]
    if not text.startswith("Multiple `"):
        return []
    # The words are: Multiple `switch` cases for I32(1) are present.
    value = text.partition("(")[2].partition(")")[0]
    found: list[Span] = []
    for node in switches:
        seen = False
        for clause in node.clauses:
            for selector in clause.selectors:
                if (selector is None) if not value else (isinstance(selector, NumberLiteral) and str(selector.value) == value):
                    span = selector.span if selector is not None else _head(clause, loaded)
                    found += [span] if seen else []
                    seen = True
    return found


def _head(clause: SwitchClause, loaded: LoadedShader) -> Span:
    """`default`, or `case 1, default`."""
    text = loaded.wgsl.text[clause.start : clause.body.start].rstrip().removesuffix(":").rstrip()
    return Span(clause.start, clause.start + len(text))


def _forbidden_operation(message: CompilerMessage, loaded: LoadedShader) -> list[Span]:
    if message.message != "Uses operations forbidden at this stage":
        return []
    entry = _declaration(message, loaded)
    return [] if entry is None else [node.span for node in _reachable_nodes(entry, loaded) if _is_for_fragments(node, loaded)]


def _reachable_nodes(declaration: Declaration, loaded: LoadedShader) -> Iterator[Node]:
    seen: set[Declaration] = set()
    pending: list[Declaration] = [declaration]
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen.add(current)
        yield from walk(current)
        pending += [found for _, found in loaded.names.references.get(current, ()) if isinstance(found, FunctionDeclaration)]


def _is_for_fragments(node: Node, loaded: LoadedShader) -> bool:
    if isinstance(node, Discard):
        return True
    name = loaded.names.predeclared(node.callee) if isinstance(node, Call) else None
    return name is not None and name.startswith(_FRAGMENT_FUNCTIONS) and name not in _EVERYWHERE


def _index(message: CompilerMessage, loaded: LoadedShader) -> list[Span]:
    # "Index 5 is out of bounds for expression [0]" has no place; "Accessing index 3 is out of [1] bounds" marks the whole expression.
    words = message.message.split(" ")
    if words[0] == "Index" and words[2:5] == ["is", "out", "of"]:
        return [node.index.span for node in walk(loaded.tree) if isinstance(node, Index) and _constant(node.index, loaded) == words[1]]
    if words[0] == "Accessing":
        label = _telling_mark(message)
        marked = [node.index.span for node in walk(loaded.tree) if label and isinstance(node, Index) and node.start == label.start]
        return marked[:1]
    return []


def _constant(expression: Expression, loaded: LoadedShader) -> str:
    """The value of a number, or of the name of a module's constant, as text; empty for anything else."""
    if isinstance(expression, NumberLiteral):
        return str(expression.value)
    if isinstance(expression, Identifier) and isinstance(loaded.names.declared(expression), VariableDeclaration):
        return str(loaded.interface.constants.get(expression.name.text, ""))
    return ""


def _type(message: CompilerMessage, loaded: LoadedShader) -> list[Span]:
    # "Type [0] '' is invalid" has no place; the cause names a capability or the type.
    if not message.context or not message.context[0].startswith("Type [") or message.start >= 0:
        return []
    is_atomic = "ATOMIC" in message.message
    named = message.message.split("`")[1] if message.message.count("`") >= 2 else ""
    if "TEXTURE_EXTERNAL" in message.message:
        named = "texture_external"
    return [
        (node.template_arguments[0] if is_atomic and node.template_arguments else node).span
        for node in walk(loaded.tree)
        if isinstance(node, Identifier) and (_is_odd_atomic(node) if is_atomic else node.name.text == named)
    ]


def _is_odd_atomic(node: Identifier) -> bool:
    argument = node.template_arguments[0] if node.name.text == "atomic" and node.template_arguments else None
    return isinstance(argument, Identifier) and argument.name.text not in ("u32", "i32")


def _attribute(message: CompilerMessage, loaded: LoadedShader) -> list[Span]:
    # "workgroup size is missing" marks the word `compute` without its `@`.
    if "workgroup size is missing" not in message.message:
        return []
    return [node.span for node in walk(loaded.tree) if isinstance(node, Attribute) and node.name.start == message.start]


_REPAIRS: tuple[Callable[[CompilerMessage, LoadedShader], list[Span]], ...] = (
    _value_of_declaration,
    _part_of_variable,
    _part_of_signature,
    _member,
    _clause,
    _forbidden_operation,
    _index,
    _type,
    _attribute,
)
"""Each gives the places that naga's words fit, or nothing where the words are not its own."""

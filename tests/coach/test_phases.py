from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli

from coach_testing.queue_tasks import WORKSPACE
from pixel_coach.errors import CoachError
from pixel_coach.phases import PRIORITIES, PlaybookTask, list_phases, load_phase, load_playbook
from pixel_coach.store import Store
from pixel_coach.tasks import State
from pixel_testing.check_command import DATA, SHADERS, run_check


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "queue.sqlite3") as store:
        yield store


def test_ships_the_roadmap() -> None:
    assert [(phase.id, len(phase.tasks), phase.lines) for phase in list_phases()] == [
        ("0_stabilization", 13, 1400),
        ("1_gpu_core", 10, 1600),
        ("2_smarter_coaching", 9, 900),
        ("3_pixel_integration", 10, 1700),
        ("4_tiny_pixel_llm", 10, 1950),
        ("5_developer_experience", 10, 1350),
        ("6_full_inference", 4, 1800),
        ("7_conversion", 3, 1500),
    ]


def test_answers_to_the_old_name_of_the_sixth_phase() -> None:
    assert load_playbook("2_inference").id == "6_full_inference"


@pytest.mark.parametrize("phase", [phase.id for phase in list_phases()])
def test_loading_twice_adds_nothing(store: Store, phase: str) -> None:
    count = len(load_playbook(phase).tasks)
    assert load_phase(store, WORKSPACE, phase) == (count, 0)
    before = store.tasks(workspace=WORKSPACE)
    assert load_phase(store, WORKSPACE, phase) == (0, count)
    assert store.tasks(workspace=WORKSPACE) == before
    assert load_phase(store, Path("/other"), phase) == (count, 0)


def test_every_task_says_what_it_is_and_can_be_reached(store: Store) -> None:
    for phase in list_phases():
        load_phase(store, WORKSPACE, phase.id)
    tasks = store.tasks(workspace=WORKSPACE)
    for task in tasks:
        assert task.description, task.title
        assert task.metadata["lines"] > 0
        assert task.metadata["section"]
        if task.target.endswith(".wgsl"):
            assert task.contract, task.title
        if "CPU vs GPU" in task.title or "matmul" in task.title.lower():
            assert (
                "compare" in task.description.lower()
                or "1e-5" in task.description
                or "CPU" in task.description
                or "ratio" in task.description
            )
    assert {task.priority for task in tasks} == {*PRIORITIES.values(), 10}


def test_a_task_left_to_a_person_is_blocked(store: Store) -> None:
    load_phase(store, WORKSPACE, "5_developer_experience")
    assert [(task.title, task.reason) for task in store.tasks(states=(State.BLOCKED,))] == [
        ("Simple TUI dashboard", "its playbook leaves it to a person")
    ]


def test_tasks_wait_for_what_they_need(store: Store) -> None:
    load_phase(store, WORKSPACE, "1_gpu_core")
    titles = {task.title: task for task in store.tasks()}
    demo = titles["CPU vs GPU demo"]
    assert {task.title for task in store.waits_for(demo.number)} == {"WGSL dot product kernel", "Install wgpu wrapper"}
    first = store.next(workspace=WORKSPACE)
    assert first is not None
    assert first.title == "WGSL dot product kernel"


CONTRACT_TASKS = [task for phase in list_phases() for task in phase.tasks if task.contract_text]


@pytest.mark.parametrize("task", CONTRACT_TASKS, ids=lambda task: task.target)
def test_a_contract_is_that_of_the_shipped_shader_or_has_a_kernel_of_its_own(task: PlaybookTask) -> None:
    (name,) = tomli.loads(task.contract_text)
    assert task.contract == name
    shader = SHADERS / Path(task.target).name
    if not (DATA / "playbook_kernels" / shader.name).exists():
        block = [
            line.removeprefix("//!").removeprefix(" ") for line in shader.read_text(encoding="utf-8").splitlines() if line[:3] == "//!"
        ]
        assert "\n".join(block[block.index(f"[{name}]") :]) == task.contract_text.strip()


@pytest.mark.device
def test_the_other_contracts_can_be_kept(tmp_path: Path) -> None:
    kernels = {path.name: path.read_text(encoding="utf-8") for path in (DATA / "playbook_kernels").iterdir()}
    for task in CONTRACT_TASKS:
        name = Path(task.target).name
        if name in kernels:
            contract = "".join(f"//! {line}".rstrip() + "\n" for line in task.contract_text.strip().splitlines())
            (tmp_path / name).write_text(contract + kernels[name], encoding="utf-8")
    outcome = run_check(tmp_path)
    assert {name: outcome.kernel(name)["status"] for name in kernels} == dict.fromkeys(kernels, "passed"), outcome.report
    assert [finding["message"] for name in kernels for finding in outcome.kernel(name)["findings"]] == []


def test_the_description_tells_the_contract(store: Store) -> None:
    load_phase(store, WORKSPACE, "6_full_inference")
    task = next(task for task in store.tasks() if task.contract == "attention")
    assert 'The file must begin with this contract, word for word:\n\n//! [attention]\n//! dims     = "T D"\n' in task.description
    assert task.metadata["contract_text"].startswith("[attention]\n")


PLAYBOOK = """\
id = "my_phase"
title = "Mine"

[[tasks]]
key = "one"
title = "First"
action = "write_file"
target = "one.py"
priority = 7

[[tasks]]
key = "two"
title = "Second"
action = "edit_file"
target = "two.py"
needs = ["one"]
limits = { rounds = 1 }
agent = "ollama"
metadata = { any = "thing" }
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_playbook_of_ones_own(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, PLAYBOOK)
    assert load_phase(store, WORKSPACE, path) == (2, 0)
    assert load_phase(store, WORKSPACE, "my_phase", playbooks=(path,)) == (0, 2)
    one, two = store.tasks()
    assert (one.priority, two.priority, two.depends_on, two.limits.rounds, two.limits.dollars) == (7, 5, (1,), 1, 0.05)
    assert (two.agent, two.metadata, two.phase, two.key) == ("ollama", {"any": "thing"}, "my_phase", "two")


def test_one_of_the_users_takes_the_place_of_a_shipped_one(tmp_path: Path) -> None:
    path = write(tmp_path, PLAYBOOK.replace("my_phase", "7_conversion"))
    assert load_playbook("7_conversion", playbooks=(path,)).title == "Mine"
    assert len(list_phases(playbooks=(path,))) == 8


def test_names_the_phases_there_are() -> None:
    with pytest.raises(CoachError) as caught:
        load_playbook("1_gpu")
    assert caught.value.message == "there is no phase `1_gpu`"
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("`1_gpu_core` is close; there are 0_stabilization, ")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "Mine"', "title = Mine", "2: invalid value"),
        ('title = "Mine"', "", "1: table missing required field `title`"),
        ("priority = 7", "priority = 11", "9: `tasks.priority`: expected `int` <= 10"),
        ("priority = 7", 'priority = "SOON"', "9: `tasks.priority`: invalid enum value 'SOON'"),
        ('action = "edit_file"', 'action = "rewrite"', "14: `tasks.action`: invalid enum value 'rewrite'"),
        ('agent = "ollama"', 'agnet = "ollama"', "18: there is no key `agnet` here"),
        ("rounds = 1", "rounds = 0", "17: `tasks.limits.rounds`: expected `int` >= 1"),
        ('needs = ["one"]', 'needs = ["on"]', "16: `two` needs `on`, which is no task of this phase"),
        ('needs = ["one"]', 'needs = ["two"]', "16: tasks need each other: `two` → `two`"),
        ('target = "one.py"', 'target = "one.py"\nneeds = ["two"]', "17: tasks need each other: `one` → `two` → `one`"),
        ('key = "two"', 'key = "one"', "12: a second task has the key `one`"),
        ('title = "Second"', 'title = """Sec\nond"""', "13: `tasks.title`: expected `str` matching regex"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in PLAYBOOK
    path = write(tmp_path, PLAYBOOK.replace(old, new))
    with pytest.raises(CoachError) as caught:
        load_playbook(path)
    assert caught.value.message.startswith(f"{path}:{message}")


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    with pytest.raises(CoachError, match="cannot be read: No such file or directory"):
        load_playbook(path)
    path.write_bytes(b'id = "a"\ntitle = "\xff"\n')
    with pytest.raises(CoachError) as caught:
        load_playbook(str(path))
    assert caught.value.message == f"{path}:2: the file is not UTF-8"
    path.write_bytes(b"a = " + b"[" * 100_000)
    with pytest.raises(CoachError, match="cannot be read"):
        load_playbook(path)


def test_a_long_chain_of_needs_is_no_recursion(tmp_path: Path) -> None:
    tasks = "".join(
        f'[[tasks]]\nkey = "k{number}"\ntitle = "t"\naction = "review"\ntarget = "a"\nneeds = ["k{number + 1}"]\n' for number in range(3000)
    )
    last = '[[tasks]]\nkey = "k3000"\ntitle = "t"\naction = "review"\ntarget = "a"\n'
    phase = load_playbook(write(tmp_path, f'id = "a"\ntitle = "a"\n{tasks}{last}'))
    assert [phase.tasks[0].key, phase.tasks[-1].key] == ["k3000", "k0"]

"""The course: every notebook is whole, as it was executed, and as short as it set out to be."""

import json
import re
from importlib import import_module
from pathlib import Path

import pytest
from exercises.exercise import Exercise, Reply

FOLDER = Path(__file__).parents[1] / "demos" / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))
COURSE = (
    "01_nudging",
    "02_chain_rule",
    "03_decisions",
    "04_networks",
    "05_backpropagation",
    "06_losses",
    "07_descent",
    "08_xor",
    "09_tables",
    "10_digits",
    "11_overfitting",
    "12_gallery",
    "13_build_your_own",
)
KEY_FIGURE = "key-figure"
PICTURES = ("image/svg+xml", "image/png")
# Folders that lie at the root of some machine
ABSOLUTE = re.compile(
    r"(?<![\w.<:/])/(?:home|root|tmp|usr|var|opt|mnt|work|Users|private)/|[A-Z]:\\"
)


@pytest.fixture(params=NOTEBOOKS)
def notebook(request):
    """Return a notebook as it is stored, with its name."""
    book = json.loads((FOLDER / request.param).read_text(encoding="utf-8"))
    return book | {"name": request.param}


def source(cell):
    return "".join(cell["source"])


def cells_of(notebook, kind):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def codes(notebook):
    return [cell for cell in cells_of(notebook, "code") if source(cell).strip()]


def prose(notebook):
    return [source(cell) for cell in cells_of(notebook, "markdown")]


def outputs_of(notebook):
    return [output for cell in codes(notebook) for output in cell["outputs"]]


def data_of(output):
    """Return what an output shows, by its type."""
    shown = output.get("data", {})
    if output["output_type"] == "stream":
        shown = {"text/plain": output["text"]}
    return {
        kind: content if kind.endswith("json") else "".join(content)
        for kind, content in shown.items()
    }


def headings(notebook):
    return [line for text in prose(notebook) for line in text.splitlines() if line.startswith("#")]


class TestNotebook:
    def test_its_name_has_a_number_and_its_title_the_same(self, notebook):
        number = int(re.fullmatch(r"(\d\d)_[a-z_]+\.ipynb", notebook["name"])[1])
        assert re.match(rf"# {number}\W", prose(notebook)[0])

    def test_it_says_first_what_one_can_do_afterwards(self, notebook):
        first = notebook["cells"][0]
        assert first["cell_type"] == "markdown"
        assert "After this notebook you can" in source(first)
        assert 3 <= len(re.findall(r"^- ", source(first), re.MULTILINE)) <= 5

    def test_it_has_one_title_and_says_last_what_comes_next(self, notebook):
        assert sum(line.startswith("# ") for line in headings(notebook)) == 1
        assert headings(notebook)[-1] == "## What comes next"

    def test_a_picture_is_on_its_first_screen(self, notebook):
        first = [data_of(output) for cell in codes(notebook)[:3] for output in cell["outputs"]]
        assert any(kind in shown for shown in first for kind in PICTURES)

    def test_it_was_executed_once_from_top_to_bottom(self, notebook):
        counts = [cell["execution_count"] for cell in codes(notebook)]
        assert counts == list(range(1, len(counts) + 1))

    def test_nothing_went_wrong(self, notebook):
        for output in outputs_of(notebook):
            assert output["output_type"] != "error", output["evalue"]
            assert output.get("name") != "stderr", output["text"]

    def test_outputs_are_the_same_on_every_machine(self, notebook):
        for output in outputs_of(notebook):
            for kind, content in data_of(output).items():
                if kind != "image/png":
                    assert not ABSOLUTE.search(str(content)), ABSOLUTE.search(str(content))
                    assert not re.search(r"\bat 0x[0-9a-f]{6,}", str(content))

    def test_its_key_figures_are_text(self, notebook):
        kept = [cell for cell in codes(notebook) if KEY_FIGURE in cell["metadata"].get("tags", [])]
        assert len(kept) >= 5
        for cell in kept:
            assert cell["outputs"], source(cell)
            for output in cell["outputs"]:
                assert all(kind.startswith("text/") for kind in data_of(output)), source(cell)

    def test_it_is_light_and_says_nothing_of_the_machine_that_ran_it(self, notebook):
        assert (FOLDER / notebook["name"]).stat().st_size < 600_000
        assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
        assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
        assert notebook["metadata"]["kernelspec"]["name"] == "python3"
        assert all(set(cell["metadata"]) <= {"tags"} for cell in notebook["cells"])

    def test_every_cell_has_an_id_of_its_own(self, notebook):
        ids = [cell["id"] for cell in notebook["cells"]]
        assert len(set(ids)) == len(ids)

    def test_it_can_be_read_in_one_sitting(self, notebook):
        words = [len(text.split()) for text in prose(notebook)]
        assert max(words) <= 180
        assert 400 <= sum(words) <= 2_200
        lines = [
            len([line for line in source(cell).splitlines() if line.strip()])
            for cell in codes(notebook)
        ]
        assert sorted(lines)[-2] <= 20  # and one engine on one page
        assert max(lines) <= (60 if notebook["name"].startswith("13") else 20)

    def test_it_needs_no_magic(self, notebook):
        for cell in codes(notebook):
            assert not re.search(r"^\s*[%!]", source(cell), re.MULTILINE), source(cell)


class TestExercises:
    def test_there_are_four_and_each_waits_for_an_answer(self, notebook):
        checks = [
            cell
            for cell in codes(notebook)
            if re.search(r"^exercises\.\w+\.check\(", source(cell), re.MULTILINE)
        ]
        assert len(checks) >= 4
        for cell in checks:
            assert "..." in source(cell)
            replies = [data_of(output)["text/plain"] for output in cell["outputs"]]
            assert len(replies) == 1
            assert re.match(r"Your turn|Not yet: .* missing", replies[0])

    def test_hint_and_solution_are_offered(self, notebook):
        text = "\n".join(map(source, notebook["cells"]))
        assert ".hint()" in text
        assert ".solution()" in text


def test_the_course_is_made_of_its_notebooks():
    assert NOTEBOOKS
    assert {Path(name).stem for name in NOTEBOOKS} == set(COURSE)


def test_links_lead_to_other_notebooks_of_the_course(notebook):
    for target in re.findall(r"\]\(([^)#:]+)\.ipynb\)", "\n".join(prose(notebook))):
        assert target in COURSE


def doubling():
    return Exercise(
        lambda answer: None if answer == 6 else f"{answer / 3:g} times 3 is not twice 3.",
        hint="Twice a number is the number plus itself.",
        solution="answer = 3 + 3",
    )


class TestExercise:
    def test_a_right_answer(self):
        reply = doubling().check(6)
        assert reply == "Right."
        assert reply.is_right

    def test_a_wrong_answer_is_told_what_is_wrong_and_where_to_look(self):
        reply = doubling().check(9)
        assert reply == (
            "Not yet: 3 times 3 is not twice 3.\nHint: Twice a number is the number plus itself."
        )
        assert not reply.is_right

    def test_no_answer_yet(self):
        reply = doubling().check(...)
        assert reply.startswith("Your turn")
        assert not reply.is_right

    def test_an_answer_that_breaks_the_check_is_told_how(self):
        reply = doubling().check("six")
        assert reply.startswith("Not yet: 'six' has not the form that is asked for.")
        assert reply.endswith("Hint: Twice a number is the number plus itself.")

    def test_an_interrupted_check_is_interrupted(self):
        def interrupted(answer):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Exercise(interrupted, hint="", solution="").check(1)

    def test_hint_and_solution(self):
        assert doubling().hint() == "Twice a number is the number plus itself."
        assert doubling().solution() == "answer = 3 + 3"


class TestReply:
    def test_it_is_text_that_is_true_if_the_answer_is_right(self):
        assert bool(Reply("Right.", is_right=True)) is True
        assert bool(Reply("Not yet.")) is False

    def test_it_shows_itself_without_quotes(self):
        assert repr(Reply("Not yet: 5\nis odd.")) == "Not yet: 5\nis odd."


def exercises(*names):
    """Return (exercise's name, exercise) for all exercises of some modules."""
    modules = [import_module(f"exercises.{name}") for name in names]
    return [
        pytest.param(each, id=f"{module.__name__.rpartition('.')[2]}.{name}")
        for module in modules
        for name, each in vars(module).items()
        if isinstance(each, Exercise)
    ]


class TestTheModules:
    @pytest.mark.parametrize("exercise", exercises(*[name[3:] for name in COURSE]))
    def test_waits_for_an_answer(self, exercise):
        assert exercise.check(...).startswith("Your turn")
        assert exercise.hint().endswith((".", "?"))

    @pytest.mark.parametrize("exercise", exercises("nudging", "chain_rule", "decisions"))
    def test_takes_its_own_solution(self, exercise):
        namespace = {}
        exec(str(exercise.solution()), namespace)
        assert exercise.check(namespace["answer"]) == "Right."

    @pytest.mark.parametrize("exercise", exercises("nudging", "chain_rule", "decisions"))
    def test_gives_the_hint_for_a_wrong_answer(self, exercise):
        reply = exercise.check(12345.0)
        assert reply.startswith("Not yet: ")
        assert reply.endswith(f"Hint: {exercise.hint()}")

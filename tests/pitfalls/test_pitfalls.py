"""The list of pitfalls fails when one has no test, when a tag leads nowhere, and when the page is not theirs."""

from pathlib import Path

import pytest
from pitfalls import ALL, ROOT, Shown, main, read_list, shown_in

LIST = """
[[pitfall]]
number = 1
words = "one"
[[pitfall]]
number = 2
words = "two"
elsewhere = "Not with us."
[[pitfall]]
number = 3
words = "three"
later = "the third"
"""
CPP = """// What it shows.
#include "x.h"

namespace {

// [G1] Why.
TEST_F(Places, Moves) {
  // [G3] Inside.
  EXPECT_TRUE(true);
}

// Without a tag.
TEST(Places, Stays) { EXPECT_TRUE(true); }

// [G3]
RC_GTEST_PROP(Places, Turn,
              (const std::string& text)) {
}
}  // namespace
"""
PYTHON = '''"""What it shows."""

import pytest

@pytest.fixture
def thing(): ...


# [G1] Why.
@pytest.mark.parametrize("x", [1])
def test_one(
    x,
):
    """[G3] Inside."""


def test_two():
    """Without."""
'''


def shown(file: str, text: str) -> list[Shown | str]:
    return list(shown_in(file, text))


def test_tags_belong_to_the_test_around_or_below_them() -> None:
    assert shown("a_test.cc", CPP) == [
        Shown(1, "a_test.cc", "Places.Moves"),
        Shown(3, "a_test.cc", "Places.Moves"),
        Shown(3, "a_test.cc", "Places.Turn"),
    ]
    assert shown("test_a.py", PYTHON) == [Shown(1, "test_a.py", "test_one"), Shown(3, "test_a.py", "test_one")]


def test_a_tag_at_the_head_of_a_file_is_of_all_its_tests() -> None:
    assert shown("a_test.cc", CPP.replace("shows.", "shows. [G9]"))[0] == Shown(9, "a_test.cc", ALL)
    assert shown("test_a.py", PYTHON.replace("shows.", "shows. [G9]"))[0] == Shown(9, "test_a.py", ALL)


@pytest.mark.parametrize("tag", ["[G1, G2]", "[g1]", "[G 1]", "[G1-G3]"])
def test_what_is_nearly_a_tag_is_told(tag: str) -> None:
    (told, *_) = shown("a_test.cc", CPP.replace("[G1]", tag))
    assert isinstance(told, str)
    assert told.startswith("a_test.cc:6: write ")


def test_a_tag_without_a_test_is_told() -> None:
    (told,) = shown("a_test.cc", "#include <x>\n\n// [G1]\nint other();\n")
    assert told == "a_test.cc:3: no test follows [G1]"


def test_the_list_is_read_and_checked() -> None:
    pitfalls, wrong = read_list(LIST)
    assert [each.number for each in pitfalls] == [1, 2, 3]
    assert wrong == []
    for bad in (LIST.replace("number = 2", "number = 7"), LIST.replace("words", "word"),
                LIST + 'elsewhere = "and later"\n', LIST + 'odd = "x"\n'):  # fmt: skip
        assert read_list(bad)[1]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree in which everything is right, its page written."""
    for folder in ("tests/pitfalls", "src/x", "docs"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "tests/pitfalls/pitfalls.toml").write_text(LIST)
    (tmp_path / "src/x/a_test.cc").write_text(CPP)
    assert main(["--write"], tmp_path) == 0
    return tmp_path


def test_a_tree_in_which_all_is_right_passes(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], tree) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "3 pitfalls, 3 tags, 0 of it wrong"
    page = (tree / "docs/pitfalls.md").read_text()
    assert "| G1 | one | src/x/a_test.cc: `Places.Moves` |" in page
    assert "| G2 | two | *Not here.* Not with us. |" in page
    assert "| G3 | three | src/x/a_test.cc: `Places.Moves`, `Places.Turn`; **open:** the third |" in page
    assert "3 pitfalls: 1 cannot happen here, 1 are shown, 1 are open in part; 2 tests." in page


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (CPP.replace("[G1]", "One"), "no test names G1: one"),
        (CPP.replace("[G1]", "[G4]"), "names G4, which tests/pitfalls/pitfalls.toml does not have"),
        (CPP.replace("[G3]", "[G2]"), "names G2, which cannot happen here"),
        (CPP.replace("Moves", "Goes"), "docs/pitfalls.md is not what list and tests say"),
    ],
)
def test_what_is_wrong_fails(tree: Path, capsys: pytest.CaptureFixture[str], text: str, told: str) -> None:
    (tree / "src/x/a_test.cc").write_text(text)
    assert main([], tree) == 1
    assert told in capsys.readouterr().out


def test_a_missing_page_and_wrong_words_fail(tree: Path) -> None:
    (tree / "docs/pitfalls.md").unlink()
    assert main([], tree) == 1
    assert main(["--wrong"], tree) == 2


def test_this_tree_is_understood() -> None:
    """The tests are found where they are, not only in the samples above."""
    text = (ROOT / "src/s3/places_test.cc").read_text()
    names = {each.test for each in shown("src/s3/places_test.cc", text) if isinstance(each, Shown)}
    assert "S3ClientRegion.FollowsA307ForOneRequestOnly" in names
    assert "S3Places.FollowOnlyToWhatWasMeant" in names

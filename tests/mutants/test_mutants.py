"""Every mutant fits the source that it changes; whether it is caught, `./dev ci` and `./dev long` find out."""

import pytest
from mutants import MUTANTS, Mutant, mutated_text


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_lines_of_a_mutant_are_there_once(mutant: Mutant) -> None:
    mutated_text(mutant)

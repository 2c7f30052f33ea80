#!/usr/bin/env python3
"""Leaves out one rule of the storage protocol at a time and shows that the tests notice.

Each mutant replaces a few lines of one source file, compiles that file alone, links it in front of the others into
the manager's tests, and into those of scripted traces over S3, and runs what must fail. A mutant that survives fails
this program; so does one whose lines are no longer there. The protocol's N1, a collector that takes without writing a
root first, is a test of its own in both (without its fence it must break a step), as is every collector so far.

    tests/mutants/mutants.py BUILD_FOLDER [NAME...]      BUILD_FOLDER: a configured and built tree, e.g. build/dev
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class SurvivedError(Exception):
    """The tests did not notice a mutant, or it could not be tried."""


@dataclass
class Mutant:
    name: str
    rule: str  # what is left out, in a sentence
    file: str
    changes: list[tuple[str, str]]
    tests: str = "*Protocol.HoldsInEveryOrder/memory_*"
    environment: dict[str, str] = field(default_factory=lambda: {"STEPSTORE_SCHEDULES": "3000"})
    traces: str = ""  # over S3, those that must fail too


MUTANTS = [
    Mutant(
        "carried_parts",
        "N2: parts sent before the root was read are named by a later attempt",
        "src/manager/writer.cc",
        [
            (
                "  job.places.clear();\n  // Where a swap",
                "  const std::vector<Job::Place> carried = std::move(job.places);\n"
                "  job.places.clear();\n  // Where a swap",
            ),
            (
                "    const ManifestComponent* const same",
                "    if (job.places.size() < carried.size() &&\n"
                "        carried[job.places.size()].send != Job::Send::create) {\n"
                "      job.places.push_back({carried[job.places.size()].location, Job::Send::no});\n"
                "      continue;\n    }\n"
                "    const ManifestComponent* const same",
            ),
            (
                "  if (!ours && !done.ever_unknown) remove_locations",
                "  if (false) remove_locations",
            ),
        ],
        traces="S3Traces.ACollectorTakesPartsOfAnAttemptThatIsRefused",
    ),
    Mutant(
        "no_previous_commits",
        "N3: a root does not tell the commits before it",
        "src/manager/writer.cc",
        [
            (
                "  manifest.previous_commits.insert(manifest.previous_commits.begin(), old.commit_id);",
                "  manifest.previous_commits.clear();",
            )
        ],
        traces="S3Faults.ALostAnswerThatOthersHaveBuiltOn",
    ),
    Mutant(
        "plain_names_again",
        "N4: a store over an older version uses the plain names once more",
        "src/manager/writer.cc",
        [
            (
                "      job.places.push_back({unique_file(part.plain, roots_.new_id()), Job::Send::put});\n    }\n  }\n"
                "  Manifest manifest",
                "      job.places.push_back({part.plain, Job::Send::put});\n    }\n  }\n  Manifest manifest",
            )
        ],
        traces="S3Traces.AStoreAgainTouchesNothingBeforeItsSwap",
    ),
    Mutant(
        "reader_skips_session_root",
        "N5: a reader does not look at the session root",
        "src/manager/reader.cc",
        [
            (
                "  if (with_session) requests.push_back",
                "  with_session = false;\n  if (with_session) requests.push_back",
            ),
        ],
        traces="S3Traces.AReaderWhileASessionIsBeingDeleted",
    ),
    Mutant(
        "writer_skips_session_root",
        "N6: a writer does not look at the session root",
        "src/manager/roots.cc",
        [
            (
                "                    .holds = [generation = request.generation](const Object* object) {\n"
                "                      return has_generation(object, generation);",
                "                    .holds = [](const Object*) {\n                      return true;",
            ),
            ("bool has_generation", "[[maybe_unused]] bool has_generation"),
        ],
        tests="*Protocol.HoldsInEveryOrder/memory_everybody_at_once",
        traces="S3Traces.AWriterOfBeforeADeletionRecordsAgain",
    ),
    Mutant(
        "version_copies_share_names",
        "N7: the copy of an old manifest is named by its commit, so its name is used twice",
        "src/manager/writer.cc",
        [
            ("version_copy_file(old.version, roots_.new_id())", "version_copy_file(old.version, old.commit_id)"),
        ],
        traces="S3Traces.TwoWritersKeepTheSameVersion",
    ),
    Mutant(
        "swap_without_condition",
        "a store over an older version overwrites whatever root is there",
        "src/manager/writer.cc",
        [("Condition::unchanged(base.etag), std::move(copies)", "Condition{}, std::move(copies)")],
        traces="S3Traces.TwoStoresAgainThatShareAndAReader",
    ),
    Mutant(
        "create_without_condition",
        "a first store overwrites whatever root is there",
        "src/manager/writer.cc",
        [("commit(job, manifest, Condition::absent(), {})", "commit(job, manifest, Condition{}, {})")],
        traces="S3Traces.TwoFirstStores",
    ),
    Mutant(
        "adoption_without_looking",
        "whatever lies under a plain name is taken for one's own bytes",
        "src/manager/writer.cc",
        [
            ("          crc64(there->body.view()) == part.component.crc64) {", "          true) {"),
            ("there->body.size() == part.component.size", "true"),
        ],
    ),
    Mutant(
        "lost_answer_is_success",
        "a root whose answer was lost is acknowledged",
        "src/manager/roots.cc",
        [
            (
                "    commit.ever_unknown = true;\n    log_warning",
                "    commit.outcome = Commit::Outcome::done;\n    return commit;\n    log_warning",
            )
        ],
    ),
    Mutant(
        "lost_answer_is_refusal",
        # Over S3 the look at the root before parts go hides it, unless the writer dies.
        "a root whose answer was lost counts as refused, and its parts are removed",
        "src/manager/roots.cc",
        [
            (
                "    commit.ever_unknown = true;\n    log_warning",
                "    commit.outcome = Commit::Outcome::refused;\n    return commit;\n    log_warning",
            )
        ],
    ),
    Mutant(
        "old_objects_removed_first",
        "what the old root names is removed before the swap",
        "src/manager/writer.cc",
        [
            (
                "  const Commit done = commit(job, manifest, Condition::unchanged",
                "  remove_locations(job.folder, job.replaced, job.limits);\n"
                "  const Commit done = commit(job, manifest, Condition::unchanged",
            )
        ],
        traces="S3Traces.AStoreAgainTouchesNothingBeforeItsSwap",
    ),
    Mutant(
        "replaced_in_another_generation",
        "what an attempt replaced is removed under the same names in the session's next generation",
        "src/manager/writer.cc",
        [("    replaced.clear();", "    // replaced.clear();")],
        tests="*Protocol.HoldsInEveryOrder/memory_everybody_at_once",
    ),
    Mutant(
        "delete_goes_on",
        "a delete that was overtaken deletes what was stored after it",
        "src/manager/remover.cc",
        [("        if (marked_by_us) return result;\n", "        break;\n")],
        traces="S3Traces.AStoreWhileADeleteSleeps",
    ),
    Mutant(
        "delete_looks_once",
        "a delete does not look for a hold again after it has marked the step",
        "src/manager/remover.cc",
        [
            (
                "  const bool held = roots_.read_session(session_id, limits).root.holds_step(step_id);",
                "  const bool held = false;",
            )
        ],
        tests="*Trace.HoldThatArrivesDuringADelete/memory",
    ),
    Mutant(
        "delete_before_root",
        "a delete removes the components before a root says so",
        "src/manager/remover.cc",
        [
            (
                "      StepRoot marked;\n",
                "      StepRoot marked;\n      std::vector<ObjectKey> early;\n"
                "      for (const std::string& each : root->manifest.named_locations())\n"
                "        early.push_back(in_folder(folder, each));\n"
                "      (void)roots_.remove(early, limits);\n",
            )
        ],
    ),
    Mutant(
        "missing_is_corrupt",
        "a reader calls a step damaged without looking whether it has changed meanwhile",
        "src/manager/reader.cc",
        [("    // was the reason.\n    if (found.root->etag == judged) {", "    if (true) {")],
        traces="S3Traces.AReaderWhosePartsAreReplacedMeanwhile",
    ),
    Mutant(
        "guess_without_root",
        "a reader believes its guesses without comparing them with the root",
        "src/manager/reader.cc",
        [
            (
                "    if (guess != look.bodies.end() && verifies(component, guess->second)) {",
                "    if (guess != look.bodies.end()) {",
            )
        ],
    ),
]


def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, text=True, capture_output=True, check=False, **options)  # type: ignore[call-overload]


def compile_command(build: Path, source: Path) -> list[str]:
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if Path(entry["file"]) == source:
            return shlex.split(entry["command"])
    sys.exit(f"mutants: {source} is in no target of {build}")


def link_command(build: Path, target: str) -> list[str]:
    lines = run(["ninja", "-C", str(build), "-t", "commands", target]).stdout.splitlines()
    # Ninja writes ": && g++ ... && :".
    words = shlex.split(lines[-1])
    return words[words.index("&&") + 1 : len(words) - 1 - words[::-1].index("&&")]


def mutated_text(mutant: Mutant) -> str:
    """The file of the mutant without the rule."""
    text = (ROOT / mutant.file).read_text()
    for old, new in mutant.changes:
        if text.count(old) != 1:
            raise SurvivedError(f"its lines are not in {mutant.file} exactly once:\n{old}")
        text = text.replace(old, new)
    return text


def compiled_mutant(mutant: Mutant, build: Path, scratch: Path) -> Path:
    source = ROOT / mutant.file
    mutated = scratch / source.name
    mutated.write_text(mutated_text(mutant))
    compiled = scratch / "mutated.o"
    command = compile_command(build, source)
    command[command.index("-o") + 1] = str(compiled)
    command[command.index(str(source))] = str(mutated)
    done = run(command, cwd=build)
    if done.returncode != 0:
        raise SurvivedError(f"it does not compile:\n{done.stderr}")
    return compiled


def failing_test(mutant: Mutant, tests: str, target: str, build: Path, compiled: Path) -> str:
    """Links the mutant into the target's tests, runs them, and tells what failed."""
    program = compiled.parent / "mutated_test"
    link = link_command(build, target)
    link[link.index("-o") + 1] = str(program)
    # An object that comes first takes the place of the one in the library.
    first = next(i for i, word in enumerate(link) if word.endswith(".o"))
    done = run([*link[:first], str(compiled), *link[first:]], cwd=build)
    if done.returncode != 0:
        raise SurvivedError(f"it does not link:\n{done.stderr}")
    arguments = [str(program), f"--gtest_filter={tests}", "--gtest_fail_fast", "--gtest_brief=1"]
    try:
        tested = run(arguments, env={**os.environ, **mutant.environment}, timeout=180)
    except subprocess.TimeoutExpired:
        raise SurvivedError("the tests came to no end in 180 s, which says nothing") from None
    if "Running 0 tests" in tested.stdout:
        raise SurvivedError(f"no test matches {tests}")
    if tested.returncode == 0:
        raise SurvivedError(f"every test passed of {target} {tests}")
    seed = next((line for line in tested.stdout.splitlines() if ", seed " in line), None)
    return (seed or tests).strip()[:150]


def catch(mutant: Mutant, build: Path, scratch: Path) -> None:
    """Raises SurvivedError with the reason unless every set of tests that must notice the mutant does."""
    compiled = compiled_mutant(mutant, build, scratch)
    seen = [failing_test(mutant, mutant.tests, "manager_test", build, compiled)]
    if mutant.traces:
        seen.append(failing_test(mutant, mutant.traces, "s3_faults_test", build, compiled))
    print(f"caught    {mutant.name}: {mutant.rule}", *seen, sep="\n          ", flush=True)


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = Path(sys.argv[1]).resolve()
    wanted = [m for m in MUTANTS if len(sys.argv) == 2 or m.name in sys.argv[2:]]
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for mutant in wanted:
            try:
                catch(mutant, build, Path(scratch))
            except SurvivedError as survived:
                failed += 1
                print(f"SURVIVED  {mutant.name}: {mutant.rule}\n          {survived}", flush=True)
    print(f"mutants: {len(wanted) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

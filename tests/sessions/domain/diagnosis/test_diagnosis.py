"""Why a training ended badly, told from its console alone."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.diagnosis.catalogue import CATALOGUE
from sessions.domain.diagnosis.entries import PHASES, Kind
from sessions.domain.diagnosis.explain import Diagnosis, diagnose
from sessions.domain.diagnosis.reading import read_console
from sessions.domain.diagnosis.remedies import REMEDIES
from sessions.domain.outcome import code_in_words
from sessions.domain.states import State
from tests.sessions.domain.diagnosis.samples import (
    ALSO_BESIDE,
    ALSO_RAISED,
    BEFORE,
    BESIDE,
    CODES,
    ENDED,
    INSTALLING,
    NOTICED,
    QUOTED,
    RAISED,
    REFUSED,
)

BANNER = " Version information:\n  ml-agents: 1.1.0,\n  ml-agents-envs: 1.1.0,\n"
SUMMARY = "[INFO] Ball. Step: 500. Time Elapsed: 5.3 s. Mean Reward: 2.194. Std of Reward: 0.197. Training.\n"
SAVED = (
    "[INFO] Exported results/a/Ball/Ball-524.onnx\n[INFO] Copied results/a/Ball/Ball-524.onnx to results/a/Ball.onnx.\n"
)
INTERRUPTED = "[INFO] Learning was interrupted. Please wait while the graph is generated.\n"
QUIET = {"interrupted"}


def traceback(last: str) -> str:
    return f'Traceback (most recent call last):\n  File "learn.py", line 8, in <module>\n    main()\n{last}\n'


def explained(text: str) -> Diagnosis | None:
    return diagnose(read_console(text))


def found(text: str) -> Diagnosis:
    diagnosis = explained(text)
    assert diagnosis is not None
    return diagnosis


def test_every_entry_of_the_catalogue_has_a_sample() -> None:
    said = {cause for cause, _ in (*ALSO_RAISED, *ALSO_BESIDE, *ENDED, *INSTALLING)}
    sampled = {*RAISED, *BESIDE, *REFUSED, *NOTICED, *QUIET, *CODES.values(), *said}
    assert {entry.id for entry in CATALOGUE} == sampled
    assert len({entry.id for entry in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize(("cause", "last"), {**RAISED, **BESIDE}.items())
def test_an_error_is_explained_by_its_cause(cause: str, last: str) -> None:
    before = BEFORE.get(cause, "")
    assert found(BANNER + before + traceback(last)).id == cause


@pytest.mark.parametrize(("cause", "last"), (*ALSO_RAISED, *ALSO_BESIDE))
def test_other_words_for_the_same_have_the_same_cause(cause: str, last: str) -> None:
    assert found(BANNER + SUMMARY + traceback(last)).id == cause


@pytest.mark.parametrize(("cause", "line"), ENDED)
def test_an_end_without_a_traceback_is_a_failure_with_a_cause(cause: str, line: str) -> None:
    text = BANNER + SUMMARY + line + "\n"
    assert read_console(text).state is State.FAILED
    assert found(text).id == cause
    assert found(line).id == cause


@pytest.mark.parametrize(("cause", "line"), INSTALLING)
def test_what_an_installer_says_is_a_failure_unless_a_trainer_began(cause: str, line: str) -> None:
    assert read_console(line).state is State.FAILED
    assert found(line).id == cause
    assert read_console(line + "\n" + BANNER + SUMMARY).state in (
        State.RUNNING,
        State.FAILED if cause == "launcher" else State.RUNNING,
    )


@pytest.mark.parametrize(("cause", "line"), QUOTED)
def test_the_words_of_an_exception_are_enough(cause: str, line: str) -> None:
    assert found(line).id == cause
    assert found(f"`{line}`").id == cause
    assert found(f"**{line}**").id == cause
    assert read_console(line + "\n" + SUMMARY).state is State.RUNNING


def test_what_no_entry_explains_is_shown_all_the_same() -> None:
    diagnosis = found("error: command '/usr/bin/odd' failed with exit code 1")
    assert diagnosis.id == "generic_traceback"
    assert "/usr/bin/odd" in diagnosis.cause
    assert diagnosis.evidence


IN_NOTEBOOK = """\
timeout                                   Traceback (most recent call last)
~/unityagents/environment.py in __init__(self, file_name)
---> 99                 self._conn, _ = self._socket.accept()

timeout: timed out

During handling of the above exception, another exception occurred:

UnityTimeOutException                     Traceback (most recent call last)
<ipython-input-7-e80f4f4c1e22> in <module>
----> 1 env = UnityEnvironment(file_name="Ball.exe")

UnityTimeOutException: It took long.
"""


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_notebook_names_the_exception_above_its_frames(lost: int) -> None:
    text = "\n".join(IN_NOTEBOOK.splitlines()[: -lost or None])
    assert found(text).id == "timeout"
    assert read_console(text).failure == (
        "UnityTimeOutException: It took long." if not lost else "UnityTimeOutException"
    )


def test_an_editor_names_the_exception_above_its_message() -> None:
    reading = read_console(
        "Exception has occurred: PicklingError\nCould not pickle the task to send it to the workers.\n"
    )
    assert reading.failure == "PicklingError: Could not pickle the task to send it to the workers."


def test_an_exception_whose_line_began_elsewhere_is_found() -> None:
    text = (
        'Traceback (most recent call last):\nFile "a.py", line 62, in b\nself.c(d). ValueError: could not broadcast\n'
    )
    assert read_console(BANNER + SUMMARY + text).failure == "ValueError: could not broadcast"


@pytest.mark.parametrize(("code", "cause"), CODES.items())
def test_an_exit_code_speaks_where_the_console_is_silent(code: int, cause: str) -> None:
    diagnosis = diagnose(read_console(BANNER + SUMMARY), ended=True, code=code)
    assert diagnosis is not None
    assert diagnosis.id == cause
    assert code_in_words(code)


def test_what_the_console_says_counts_more_than_the_exit_code() -> None:
    text = BANNER + SUMMARY + traceback(RAISED["cuda_assert"]) + "Aborted (core dumped)\n"
    diagnosis = diagnose(read_console(text), ended=True, code=-6)
    assert diagnosis is not None
    assert (diagnosis.id, diagnosis.further) == ("cuda_assert", ["The trainer gave up in its libraries"])


def test_what_the_training_outlived_is_not_its_cause() -> None:
    crashed = "Process Process-1:\n" + traceback(RAISED["env_exit"]) + NOTICED["env_restart"] + "\n"
    diagnosis = diagnose(read_console(BANNER + SUMMARY + crashed + SUMMARY), ended=True, code=-9)
    assert diagnosis is not None
    assert diagnosis.id == "killed"


@pytest.mark.parametrize(("cause", "text"), REFUSED.items())
def test_a_refused_command_line_is_explained(cause: str, text: str) -> None:
    assert found(text).id == cause


@pytest.mark.parametrize(("notice", "line"), NOTICED.items())
def test_a_warning_explains_nothing(notice: str, line: str) -> None:
    entry = next(entry for entry in CATALOGUE if entry.id == notice)
    assert entry.kind is Kind.NOTICE
    assert entry.compiled().search(line)
    assert explained(BANNER + line + "\n" + SUMMARY + SAVED) is None
    assert found(BANNER + line + "\n" + traceback("AssertionError: Torch not compiled with CUDA enabled")).id == (
        "cuda_not_compiled"
    )


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.id)
def test_an_entry_is_whole(entry) -> None:  # type: ignore[no-untyped-def]
    assert entry.phase in PHASES
    assert set(entry.remedies) <= set(REMEDIES)
    named = {name for text in (entry.cause, entry.fix) for _, name, _, _ in string.Formatter().parse(text) if name}
    assert named - {"failure"} <= set(re.compile(entry.pattern).groupindex)
    for text in (entry.cause, entry.fix):
        assert text.endswith((".", "}"))


def test_what_went_wrong_first_is_the_cause_and_the_rest_is_named() -> None:
    text = BANNER + "[ERROR] Worker 0 exceeded the allowed number of restarts.\n" + INTERRUPTED
    diagnosis = found(text + traceback(RAISED["onnx_missing"]))
    assert diagnosis.id == "env_restart_limit"
    assert "The package onnx is missing" in diagnosis.further


def test_the_lines_that_speak_for_it_are_named_with_their_numbers() -> None:
    text = BANNER + SUMMARY + traceback(RAISED["port_in_use"])
    (evidence,) = found(text).evidence
    assert (evidence.source, evidence.line) == ("console.log", text.split("\n").index(RAISED["port_in_use"]) + 1)
    assert "still in use" in evidence.text


def test_of_many_lines_the_exception_is_shown_and_no_code() -> None:
    frame = '  File "demo_loader.py", line 195, in load\n    raise FileNotFoundError(f"{RAISED}")\n'
    raised = RAISED["demo_missing"]
    (evidence,) = found(traceback(frame.replace("{RAISED}", raised) + raised)).evidence
    assert evidence.text == raised
    (evidence,) = found(traceback("    trainer = self.trainers[brain_name]\nKeyError: 'Ball'")).evidence
    assert evidence.text == "KeyError: 'Ball'"


def test_the_code_of_a_player_is_told_in_words() -> None:
    ended = RAISED["env_exit"].replace("-11 (SIGSEGV)", "3221225477")
    assert "3221225477 (an access violation)" in found(traceback(ended)).cause


def test_an_unknown_error_shows_its_last_lines() -> None:
    diagnosis = found(BANNER + SUMMARY + traceback("OddError: the moon is full\n and it rains"))
    assert diagnosis.id == "generic_traceback"
    assert "OddError: the moon is full" in diagnosis.cause
    assert any("the moon is full" in one.text for one in diagnosis.evidence)


def test_a_training_that_went_well_has_no_diagnosis() -> None:
    restarted = "[WARNING] Restarting worker[0] after 'The Unity environment took too long to respond.'\n"
    worker = "Process Process-1:\n" + traceback(RAISED["timeout"])
    assert explained(BANNER + SUMMARY + restarted + worker + SUMMARY + SAVED) is None


def test_a_stop_is_no_failure_but_says_how_to_go_on() -> None:
    reading = read_console(BANNER + SUMMARY + INTERRUPTED + SAVED)
    assert reading.state is State.STOPPED
    assert found(BANNER + SUMMARY + INTERRUPTED + SAVED).id == "interrupted"


def test_an_environment_that_left_twice_explains_a_training_that_stopped_by_itself() -> None:
    text = BANNER + SUMMARY + "[ERROR] Worker 0 exceeded the allowed number of restarts.\n" + INTERRUPTED + SAVED
    assert found(text).id == "env_restart_limit"


def test_a_second_ctrl_c_after_the_model_was_saved_costs_nothing() -> None:
    text = BANNER + SUMMARY + INTERRUPTED + SAVED + traceback("KeyboardInterrupt")
    assert read_console(text).state is State.STOPPED


REWARDS = "Mean Reward: 1.181. Std of Reward: 0.661. Training.\n"
OLD = f"2020-04-12 06:59:02 INFO [stats.py:111] ball_Ball: Step: 500. Time Elapsed: 5.1 s {REWARDS}"
OLDEST = f"I0402 21:14:33.795373  3764 trainer.py:169]  a-0: Ball: Step: 500. {REWARDS}"
PIPE = traceback("BrokenPipeError: [WinError 109] Ended")


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("", State.STARTING),
        (BANNER, State.STARTING),
        (
            BANNER + "[INFO] Listening on port 5004. Start training by pressing the Play button.\n",
            State.WAITING_FOR_EDITOR,
        ),
        (BANNER + "[INFO] Connected new brain: Ball?team=0\n", State.RUNNING),
        (BANNER + SUMMARY, State.RUNNING),
        (BANNER + SUMMARY + SAVED, State.COMPLETED),
        (BANNER + SUMMARY + traceback("MemoryError"), State.FAILED),
        # Until 0.19 the same words stand at every checkpoint.
        (OLD + "2020-04-12 07:01:44 INFO [trainer_controller.py:100] Saved Model\n" + OLD, State.RUNNING),
        (OLD + "2020-04-12 07:01:44 INFO [trainer_controller.py:100] Saved Model\n", State.COMPLETED),
        (OLDEST + OLDEST.replace("a-0: Ball: Step: 500", "Learning was interrupted"), State.STOPPED),
        # A terminal shows that Ctrl-C was pressed, and the next line stands behind it.
        (BANNER + SUMMARY + "^C" + INTERRUPTED + SAVED, State.STOPPED),
        ("".join(f"    {line}\n" for line in (SUMMARY + "^C" + INTERRUPTED + SAVED).splitlines()), State.STOPPED),
        (BANNER + "[ERROR] Worker 0 exceeded the allowed number of restarts.\n", State.FAILED),
        (
            BANNER + traceback("ValueError") + "Error in atexit._run_exitfuncs:\n" + traceback("KeyboardInterrupt"),
            State.FAILED,
        ),
        (BANNER + "^C" + traceback("KeyboardInterrupt"), State.STOPPED),
        (BANNER + SUMMARY + INTERRUPTED + traceback("KeyboardInterrupt"), State.FAILED),
        # A worker fails and the training goes on, is stopped, or is gone.
        (BANNER + "Process Process-1:\n" + PIPE + SUMMARY, State.RUNNING),
        (BANNER + SUMMARY + INTERRUPTED + SAVED + "Process Process-1:\n" + PIPE, State.STOPPED),
        (BANNER + SUMMARY + "Process Process-1:\n" + PIPE, State.FAILED),
        # Excerpts: without the head of the traceback, without its frames, without its lines.
        (BANNER + SUMMARY + traceback("ValueError: a").partition("\n")[2], State.FAILED),
        ("mlagents_envs.exception.UnityEnvironmentException: Odd.\n", State.FAILED),
        (traceback("a.OddError: b").replace("\n", " "), State.FAILED),
        ("ValueError: of a plugin that went on\n" + SUMMARY, State.RUNNING),
        # The thread that learns is gone: nothing will come any more.
        (BANNER + SUMMARY + "Exception in thread Thread-1:\n" + traceback("MemoryError: a"), State.FAILED),
        (BANNER + "Exception in thread Thread-1:\n" + traceback("OSError: a") + SUMMARY, State.RUNNING),
        # Excerpts that end in a traceback, or have no summary.
        (BANNER + SUMMARY + traceback("x").rpartition("x")[0], State.FAILED),
        ("[INFO] Resuming training from step 500.\n", State.RUNNING),
        ("INFO: Step: 500. " + REWARDS, State.RUNNING),
        # How environments introduced themselves until 0.12.
        (
            "INFO:mlagents.envs:\n'Ball3DAcademy' started successfully!\nUnity Academy name: Ball3DAcademy\n",
            State.RUNNING,
        ),
        ("INFO:mlagents.envs:Connected new brain:\nUnity brain name: Ball\n", State.RUNNING),
        # Until 0.16 the final model alone is exported.
        (OLDEST + "INFO:mlagents.trainers:Exported ./models/a-0/Ball.nn file\n", State.COMPLETED),
        ("--- Logging error ---\nCall stack:\n" + traceback("x: y").partition("\n")[2] + SUMMARY, State.RUNNING),
    ],
)
def test_a_console_tells_how_far_it_is(text: str, state: State) -> None:
    assert read_console(text).state is state


@pytest.mark.parametrize(
    "line",
    [
        " Ball. Step: 500. Time Elapsed: 5.3 s. Mean Reward: 2.194. Std of Reward: 0.197. Training.",
        "[INFO] Ball. Step: 500.  Time Elapsed: 5.3 s. Mean Reward: 2.194. Std of Reward: 0.197. Training.",
        OLDEST.replace("1.181", "2.194"),
        "INFO:unityagents: Ball: Step: 500. Mean Reward: 2.194. Std of Reward: 0.197. ",
        "INFO [stats.py:139] Ball. Step: 500. Time Elapsed: 5.3 s. Mean Reward: 2.194. Std of Reward: 0.197. Training.",
        "[INFO] Ball. Step: 500.  Time Elapsed: 5.3 s.  Mean Reward: 2.194.  Std of Reward: 0.197.  Training.",
        "\\[INFO] Ball. Step: 500. Time Elapsed: 5.3 s. Mean Reward: 2.194. Std of Reward: 0.197. Training.<br>",
        "- `[INFO] Ball. Step: 500. Time Elapsed: 5.3 s. Mean Reward: 2.194. Std of Reward: 0.197. Training.`",
        "    '[INFO] Ball. Step: 500. Time Elapsed: 5.3 s. Mean Reward: 2.194. Std of Reward: 0.197. Training.',",
        "> [INFO] Ball. Step: 500. Time Elapsed: 5.3 s. Mean Reward: 2.194",
    ],
)
def test_a_summary_that_was_touched_tells_the_same(line: str) -> None:
    (behavior,) = read_console("Before it.\n" + line + "\n").behaviors
    assert (behavior.name, behavior.step, behavior.mean_reward) == ("Ball", 500, 2.194)


@pytest.mark.parametrize(
    "command", ["python3 -m mlagents.trainers.learn a.yaml", "xvfb-run -a mlagents-learn a.yaml", "mlagents-learn"]
)
@pytest.mark.parametrize("prompt", ["~/ball \u276f ", "\u279c  ball git:(main) ", "(base) ada@pc ball % ", "!"])
def test_any_prompt_begins_another_start(prompt: str, command: str) -> None:
    again = prompt + command + "\n" + BANNER + SUMMARY
    reading = read_console(BANNER + traceback(RAISED["timeout"]) + again)
    assert (reading.state, reading.lines[0]) == (State.RUNNING, prompt + command)


def test_only_the_last_of_several_starts_counts() -> None:
    first = "(venv) PS C:\\proj> mlagents-learn ball.yaml\n" + BANNER + traceback(RAISED["timeout"])
    again = "(venv) PS C:\\proj> mlagents-learn ball.yaml --resume\n" + BANNER + SUMMARY.replace("500", "900")
    reading = read_console(first + again)
    assert reading.state is State.RUNNING
    assert [(one.name, one.step) for one in reading.behaviors] == [("Ball", 900)]
    assert reading.first_line == first.count("\n") + 1


def test_a_command_that_printed_nothing_is_no_start() -> None:
    instructions = "mlagents-learn a.yaml\n" + SUMMARY + "Then go on:\nmlagents-learn a.yaml --resume\nand wait.\n"
    reading = read_console(instructions)
    assert (reading.state, reading.behaviors[0].step) == (State.RUNNING, 500)


def test_a_command_that_tells_its_options_is_one() -> None:
    text = "> mlagents-learn\n" + traceback("ValueError") + "> mlagents-learn --help\nusage: mlagents-learn [-h]\n"
    assert read_console(text).state is State.STARTING


@pytest.mark.parametrize(
    "command", ["C:\\envs\\python.exe D:/a/train.py", "PS C:\\p> venv\\Scripts\\mlagents-learn.exe a.yaml"]
)
def test_a_program_may_be_called_by_its_path(command: str) -> None:
    again = command + "\n" + traceback(RAISED["timeout"])
    reading = read_console(traceback(RAISED["cuda_oom"]) + again)
    assert reading.lines[0] == command


def test_a_clock_that_goes_back_is_that_of_another_training() -> None:
    later = SUMMARY.replace("Mean Reward: 2.194. Std of Reward: 0.197", "No episode was completed since last summary")
    reading = read_console(SUMMARY + INTERRUPTED + SAVED + "With other numbers:\n" + later.replace("5.3", "4.2"))
    assert (reading.state, reading.first_line) == (State.RUNNING, 6)
    assert [(one.name, one.step, one.mean_reward) for one in reading.behaviors] == [("Ball", 500, None)]


def test_nothing_comes_to_a_trainer_that_has_saved_its_last_model() -> None:
    text = SUMMARY + SAVED + "[INFO] Listening on port 5004. Start training by pressing the Play button.\n"
    assert read_console(text).state is State.WAITING_FOR_EDITOR


def test_a_copy_whose_source_was_left_out_is_one() -> None:
    assert read_console(SUMMARY + "[INFO] Copied ... to results/a/Ball.onnx.\n").state is State.COMPLETED


@pytest.mark.parametrize(
    "line",
    [
        "    mlagents_envs.exception.UnityTimeOutException: It took long.",
        " > mlagents_envs.exception.UnityTimeOutException: It took long.",
        "`mlagents_envs.exception.UnityTimeOutException: It took long.`",
    ],
)
def test_an_error_is_found_between_other_words(line: str) -> None:
    reading = read_console(f"What helps against this?\n{line}\n\nI think that it waits.\n")
    assert (reading.state, reading.failure) == (State.FAILED, "UnityTimeOutException: It took long.")


def test_the_run_id_before_a_behavior_is_none_of_its_name() -> None:
    names = "Connected new brain:\nBig_Ball?team=0\nConnected new brain:\nBall?team=0\n"
    lines = "my_run_Big_Ball: Step: 500. Time Elapsed: 5.3 s Mean Reward: 2.194. Std of Reward: 0.197. Training.\n"
    reading = read_console("  ml-agents: 0.16.1,\n" + names + lines + lines.replace("Big_Ball", "Ball"))
    assert [(one.name, one.step) for one in reading.behaviors] == [("Big_Ball", 500), ("Ball", 500)]


def test_lines_that_the_console_could_not_show_are_read_all_the_same() -> None:
    line = "Message: '\\u0412. Step: 200. Time Elapsed: 1.9 s. Mean Reward: 2.510. Std of Reward: 0.221. Training.'\n"
    (behavior,) = read_console(BANNER + "--- Logging error ---\n" + line).behaviors
    assert (behavior.name, behavior.step, behavior.mean_reward) == ("\u0412", 200, 2.51)


def test_words_of_the_console_stay_short_and_in_one_line() -> None:
    name = "x" * 100_000
    diagnosis = found(
        BANNER + traceback(f"FileNotFoundError: The demonstration file or directory {name} does not exist")
    )
    assert len(diagnosis.cause) < 1000
    assert all(len(one.text) <= 301 for one in diagnosis.evidence)


def test_a_long_console_is_searched_at_both_ends() -> None:
    text = BANNER + "[INFO] a line that says nothing at all\n" * 200_000 + traceback(RAISED["cuda_oom"])
    diagnosis = found(text)
    assert diagnosis.id == "cuda_oom"
    assert diagnosis.evidence[0].line == text.count("\n")


@given(st.text(max_size=2000))
def test_any_text_is_read(text: str) -> None:
    reading = read_console(text)
    diagnosis = diagnose(reading, ended=True)
    assert diagnosis is None or diagnosis.title


@pytest.mark.parametrize(
    "before",
    [
        "    trainer = self.trainers[brain_name]\n              ~~~~~~~~~~~~~^^^^^^^^^^^^\nKeyError: 'Ball'\n\n"
        "During handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n",
        "    self.trainers[brain_name].save_model()\n",
    ],
    ids=["when a behavior begins", "when it is saved"],
)
def test_where_a_trainer_is_looked_up_is_no_cause(before: str) -> None:
    place = '  File "trainer_controller.py", line 126, in _create_trainer_and_manager\n'
    text = f"Traceback (most recent call last):\n{place}{before}{place}    x()\nKeyError: 'the moon'\n"
    assert found(text).id == "generic_traceback"

"""Names, tags, projects, the archive: for one session and for many, with an event of each change."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from sessions.domain.labels import clean_tags, read_tags
from sessions.domain.states import State
from sessions.errors import Conflict, InvalidInput, MentorError, Missing, NotAllowed
from sessions.models import SessionEvent, TrainingSession
from sessions.selectors.sessions import actions
from sessions.services import bulk, editing, projects, starting
from tests.factories import make_request, make_session

pytestmark = pytest.mark.usefixtures("home")


def told(session: TrainingSession) -> list[tuple[str, str]]:
    return list(SessionEvent.objects.filter(session=session).values_list("who", "why"))[1:]


def test_an_edit_is_cleaned_stored_and_told_once(ada: User) -> None:
    session = make_session(owner=ada)
    editing.edit(session, {"name": "Best", "tags": [" a ", "b", "a", ""], "project": " My\n paper "}, by="ben")
    assert (session.name, session.tags, session.project) == ("Best", ["a", "b"], "My paper")
    editing.edit(session, {"name": "Best"}, by="ben")
    editing.edit(session, {"project": ""}, by="cyd")
    assert told(session) == [("ben", "Changed name, tags, project."), ("cyd", "Taken out of its project.")]


def test_tags_are_separated_by_commas_and_not_too_many() -> None:
    assert read_tags("a, b c,,a") == ["a", "b c"]
    assert clean_tags(["x" * 60]) == ["x" * 50]
    assert len(clean_tags(str(number) for number in range(100))) == 50


def test_only_what_has_ended_is_archived_and_it_does_not_start_from_there(ada: User) -> None:
    session = make_session(owner=ada, state=State.RUNNING)
    with pytest.raises(Conflict):
        editing.archive(session, by="ada")
    TrainingSession.objects.update(state=State.STOPPED.value)
    session.attempts.update(state=State.STOPPED.value)
    session.refresh_from_db()
    editing.archive(session, by="ada")
    session.refresh_from_db()
    assert (actions(session), session.chore) == (["unarchive", "trash"], "pack")
    with pytest.raises(Conflict, match="in the archive"):
        editing.resume(session, by="ada")
    with pytest.raises(MentorError) as refused:
        starting.start_session(make_request(run_id=session.run_id, resume=True), by=ada)
    assert "in the archive" in refused.value.errors["run_id"][0]
    editing.unarchive(session, by="ada")
    session.refresh_from_db()
    assert (session.archived_at, session.chore) == (None, "unpack")
    assert [why for _, why in told(session)] == ["Moved to the archive.", "Taken out of the archive."]


def test_an_imported_session_is_archived_without_touching_its_files(ada: User) -> None:
    session = make_session(owner=ada, state=State.STOPPED)
    TrainingSession.objects.update(origin="imported")
    session.refresh_from_db()
    editing.archive(session, by="ada")
    session.refresh_from_db()
    assert (session.archived_at is not None, session.chore) == (True, "")


def test_many_at_once_each_gets_it_or_says_why_not(ada: User) -> None:
    for name in ("a", "b"):
        make_session(owner=ada, run_id=name, state=State.STOPPED)
    make_session(owner=ada, run_id="runs", state=State.RUNNING)
    result = bulk.apply(["a", "runs", "nobody", "a"], "archive", by=ada)
    assert result.done == ["a"]
    assert [one.run_id for one in result.refused] == ["runs", "nobody"]
    assert bulk.apply(["a", "b"], "tag", "x, y", by=ada).done == ["a", "b"]
    bulk.apply(["b"], "untag", "x", by=ada)
    assert [TrainingSession.objects.get(run_id=name).tags for name in "ab"] == [["x", "y"], ["y"]]
    bulk.apply(["a", "b", "runs"], "project", "Paper", by=ada)
    assert TrainingSession.objects.filter(project="Paper").count() == 3


@pytest.mark.parametrize(("action", "value"), [("tag", " , "), ("stop", ""), ("", "")])
def test_an_action_there_is_not_is_refused(ada: User, action: str, value: str) -> None:
    with pytest.raises(InvalidInput):
        bulk.apply(["a"], action, value, by=ada)


def test_who_may_not_touch_a_session_does_not_through_the_bulk(ada: User, ben: User, cyd: User) -> None:
    make_session(owner=ada, run_id="hers", state=State.STOPPED)
    assert "may not" in bulk.apply(["hers"], "tag", "x", by=ben).refused[0].detail
    assert "no session" in bulk.apply(["hers"], "trash", by=cyd).refused[0].detail
    assert TrainingSession.objects.get().trashed_at is None


def test_a_project_is_renamed_merged_and_dissolved(ada: User, ben: User) -> None:
    for name, project in (("a", "One"), ("b", "One"), ("c", "Two")):
        editing.edit(make_session(owner=ada, run_id=name), {"project": project}, by="ada")
    assert projects.rename("One", "Two", by=ada) == 2
    assert set(TrainingSession.objects.values_list("project", flat=True)) == {"Two"}
    with pytest.raises(Missing):
        projects.rename("One", "Three", by=ada)
    with pytest.raises(InvalidInput):
        projects.rename("Two", " Two ", by=ada)
    with pytest.raises(NotAllowed):
        projects.rename("Two", "Three", by=ben)
    assert projects.rename("Two", "", by=ada) == 3
    with pytest.raises(Missing):
        projects.rename("", "Everything", by=ada)

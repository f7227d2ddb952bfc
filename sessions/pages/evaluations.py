"""The form by which a checkpoint of a session's list is evaluated."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from sessions.domain.numbers import natural
from sessions.errors import InvalidInput
from sessions.selectors import sessions
from sessions.services import evaluations

MOST_DIGITS = 10


class EvaluateForm(forms.Form):
    """Which checkpoint, by the id of a file; seeds with commas between; an empty environment is the session's own."""

    checkpoint = forms.IntegerField()
    seeds = forms.CharField(max_length=300)
    episodes = forms.IntegerField(min_value=1, max_value=evaluations.MOST_EPISODES)
    environment = forms.IntegerField(required=False)

    def clean_seeds(self) -> list[int]:
        found = [natural(one.strip(), most_digits=MOST_DIGITS) for one in self.cleaned_data["seeds"].split(",")]
        if None in found:
            raise forms.ValidationError("Seeds are whole numbers with commas between.")
        return [one for one in found if one is not None]


@require_POST
def evaluate(request: HttpRequest, run_id: str) -> HttpResponse:
    """Queue an evaluation, and say what it waits for."""
    form = EvaluateForm(request.POST)
    if not form.is_valid():
        sentences = {name: [str(one) for one in told] for name, told in form.errors.items()}
        raise InvalidInput(next(iter(sentences.values()))[0], errors=sentences)
    session = sessions.session_named(run_id, request.user)
    told = dict(form.cleaned_data)
    asked = evaluations.evaluate(session, told.pop("checkpoint"), by=request.user, **told)
    said = f"{asked.behavior} at step {asked.step:,} is evaluated when its turn comes."
    if not asked.environment and sessions.waits_for_play(session):
        said += f" For each of its seeds ({len(asked.seeds)}) MENTOR will ask you to press Play in the Unity Editor."
    messages.success(request, said)
    return redirect(f"{session.get_absolute_url()}#evaluations")

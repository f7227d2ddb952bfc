"""Who may come in: the administrator of a new installation, one-time sign-in links, API tokens."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.utils import timezone
from knox.models import AuthToken

from sessions.errors import Missing, NotAllowed
from sessions.models import SignInLink

LINK_MINUTES = 15
FIRST_NAME = "admin"


def administrator() -> User:
    """Return the first administrator; a new installation gets one that has no password, only sign-in links."""
    with transaction.atomic():
        found = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        if found is None:
            found = User(username=FIRST_NAME, is_superuser=True, is_staff=True)
            found.set_unusable_password()
            found.save()
    return found


def signed_in(user: AbstractBaseUser | AnonymousUser) -> User:
    """Return the user of a request as one who is signed in; raises NotAllowed for anybody else."""
    if not isinstance(user, User):
        raise NotAllowed("Sign in first.")
    return user


def user_named(name: str | None) -> User:
    """Return the user of that name, or the first administrator without one; raises Missing."""
    if not name:
        return administrator()
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise Missing(f"There is no user {name}.", hint="Make one with manage.py createsuperuser or in the admin.")
    return user


def new_link_token(user: User) -> str:
    """Return the token of a new one-time link for this user; older unused links of the user end."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        SignInLink.objects.filter(user=user, used_at__isnull=True).delete()
        SignInLink.objects.create(
            user=user, digest=_digest(token), expires_at=timezone.now() + timedelta(minutes=LINK_MINUTES)
        )
    return token


def redeem_link(token: str) -> User | None:
    """Use a one-time link up and return its user, or None when it is unknown, used or expired."""
    now = timezone.now()
    links = SignInLink.objects.filter(digest=_digest(token), used_at__isnull=True, expires_at__gt=now)
    link = links.select_related("user").first()
    if link is None or not links.update(used_at=now) or not link.user.is_active:
        return None
    return link.user


def new_api_token(user: User) -> str:
    """Return a new API token; only its digest is kept."""
    _, token = AuthToken.objects.create(user)
    return str(token)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

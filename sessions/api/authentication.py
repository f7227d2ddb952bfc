"""Tokens in the Authorization header, as `Token …` or `Bearer …`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication as KnoxAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request


class TokenAuthentication(KnoxAuthentication):
    """`Authorization: Token …`."""

    word = "Token"

    def authenticate_header(self, request: Request) -> str:
        return self.word

    def authenticate_credentials(self, token: bytes) -> Any:
        """Return user and token; raises AuthenticationFailed, also for bytes that no token has."""
        if not token.isalnum():
            raise AuthenticationFailed("Invalid token.")
        return super().authenticate_credentials(token)


class BearerAuthentication(TokenAuthentication):
    """`Authorization: Bearer …`."""

    word = "Bearer"


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "sessions.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "Token, a blank, the token",
        }


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "sessions.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}

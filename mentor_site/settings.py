"""Django's settings, composed from the table of options."""

from __future__ import annotations

import os
import socket
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url

from mentor_site.installation import make_home, secret_key
from mentor_site.logs import handlers
from mentor_site.options import BASE_DIR, read_options

MENTOR, OPTION_PROBLEMS = read_options(os.environ)
MENTOR_HOME: Path = make_home(MENTOR["MENTOR_HOME"])
MENTOR_MACHINE = socket.gethostname()

SECRET_KEY = secret_key(MENTOR_HOME)
DEBUG: bool = MENTOR["MENTOR_DEBUG"]
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *MENTOR["MENTOR_ALLOWED_HOSTS"]]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "django_filters",
    "axes",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "django_q",
    "sessions.apps.TrainingSessionsConfig",
    "analysis.apps.AnalysisConfig",
    "reports.apps.ReportsConfig",
    "mentor_site.apps.MentorSiteConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "mentor_site.middleware.MentorErrors",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "mentor_site.urls"
ASGI_APPLICATION = "mentor_site.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

SQLITE_OPTIONS: dict[str, Any] = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": (
        "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA temp_store=MEMORY;"
        "PRAGMA journal_size_limit=67108864;PRAGMA cache_size=-8000;"
    ),
}
if MENTOR["MENTOR_DATABASE_URL"]:
    DATABASES = {"default": dj_database_url.parse(MENTOR["MENTOR_DATABASE_URL"], conn_max_age=60)}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(MENTOR_HOME / "mentor.sqlite3"),
            "OPTIONS": SQLITE_OPTIONS,
            "CONN_MAX_AGE": None,
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

if MENTOR["MENTOR_REDIS_URL"]:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [MENTOR["MENTOR_REDIS_URL"]]},
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}}}

Q_CLUSTER = {
    "name": "mentor",
    "label": "Tasks",
    "orm": "default",
    "workers": 1,
    "timeout": 60,
    "retry": 180,
    "max_attempts": 3,
    "ack_failures": True,
    "queue_limit": 2,
    "bulk": 1,
    "poll": 0.5,
    "recycle": 200,
    # A worker that has built reports is replaced, so that MENTOR at rest stays small (in KB).
    "max_rss": 65_000,
    "save_limit": 50,
    "catch_up": False,
    "scheduler": False,
}

# What follows when a session has ended: names of tasks that take its primary key.
MENTOR_AFTER_SESSION = ["reports.tasks.build_report"]
# What else goes when a session is deleted for good: names of functions that take its primary key and may be repeated.
MENTOR_ON_REMOVAL = ["reports.services.remove_reports"]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# Guessing passwords: ten wrong ones for a name from one address, then a quarter of an hour of nothing.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_HTTP_RESPONSE_CODE = 429
AXES_LOCKOUT_TEMPLATE = "accounts/locked.html"
AXES_VERBOSE = False
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "accounts:login"

# Cookies ignore the port, so two Django tools on one host would sign each other out.
SESSION_COOKIE_NAME = "mentor_sessionid"
CSRF_COOKIE_NAME = "mentor_csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = MENTOR["MENTOR_HTTPS"]
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "sessions.api.authentication.TokenAuthentication",
        "sessions.api.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["sessions.api.parsing.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "sessions.api.errors.handle",
}
REST_KNOX = {"TOKEN_TTL": None, "AUTO_REFRESH": False}
SPECTACULAR_SETTINGS = {
    "TITLE": "MENTOR",
    "DESCRIPTION": "Start, watch, stop, resume and compare Unity ML-Agents trainings.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

LOG_HANDLERS = handlers(MENTOR_HOME, sys.argv)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": LOG_HANDLERS,
    "root": {"handlers": list(LOG_HANDLERS), "level": "WARNING"},
    "loggers": {
        "mentor": {"level": "INFO"},
        "sessions": {"level": "INFO"},
        "django.request": {"level": "ERROR"},
        "django-q": {"handlers": list(LOG_HANDLERS), "level": "WARNING", "propagate": False},
    },
}

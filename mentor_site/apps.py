from django.apps import AppConfig


class MentorSiteConfig(AppConfig):
    """Composition only: no models, but its checks and commands are found."""

    name = "mentor_site"
    verbose_name = "MENTOR"

    def ready(self) -> None:
        from mentor_site import checks  # noqa: F401

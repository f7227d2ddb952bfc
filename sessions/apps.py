from django.apps import AppConfig


class TrainingSessionsConfig(AppConfig):
    name = "sessions"
    label = "training"  # "sessions" belongs to django.contrib.sessions
    verbose_name = "Training sessions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate, pre_migrate

        from sessions.services import sql_views

        pre_migrate.connect(sql_views.before_migrations, sender=self)
        post_migrate.connect(sql_views.after_migrations, sender=self)

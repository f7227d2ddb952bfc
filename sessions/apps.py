from django.apps import AppConfig


class TrainingSessionsConfig(AppConfig):
    name = "sessions"
    label = "training"  # "sessions" belongs to django.contrib.sessions
    verbose_name = "Training sessions"
    default_auto_field = "django.db.models.BigAutoField"

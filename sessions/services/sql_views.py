"""Views for people who ask the database in SQL: names instead of keys, and nothing that only MENTOR understands.

Tables change from version to version; these views are what docs/sql.md promises. They are dropped before any migration
and made again after it, because SQLite refuses to change a table that a view reads.
"""

from __future__ import annotations

from typing import Any

from django.db import connections, router

APP = "training"
VIEWS = {
    "mentor_sessions": """
        SELECT s.run_id, s.name, s.state, s.explanation, s.origin, t.name AS trainer, t.kind AS trainer_kind,
               e.name AS environment, u.username AS owner, s.tags, s.notes, s.priority, s.created_at, s.started_at,
               s.ended_at, s.trashed_at,
               (SELECT COUNT(*) FROM training_attempt a WHERE a.session_id = s.id) AS attempts
        FROM training_trainingsession s
        JOIN training_trainer t ON t.id = s.trainer_id
        LEFT JOIN training_environment e ON e.id = s.environment_id
        LEFT JOIN auth_user u ON u.id = s.owner_id""",
    "mentor_behaviors": """
        SELECT s.run_id, b.name AS behavior, b.step, b.max_steps, b.mean_reward, b.std_reward
        FROM training_behaviorprogress b
        JOIN training_trainingsession s ON s.id = b.session_id""",
    "mentor_attempts": """
        SELECT s.run_id, a.number AS attempt, a.state, m.name AS machine, a.resume, a.force, a.automatic, a.device,
               a.started_at, a.ended_at, a.exit_code, a.failure, a.alarm
        FROM training_attempt a
        JOIN training_trainingsession s ON s.id = a.session_id
        LEFT JOIN training_machine m ON m.id = a.machine_id""",
    "mentor_events": """
        SELECT s.run_id, a.number AS attempt, v.at, v.from_state, v.to_state, v.who, v.why
        FROM training_sessionevent v
        JOIN training_trainingsession s ON s.id = v.session_id
        LEFT JOIN training_attempt a ON a.id = v.attempt_id""",
    "mentor_series": """
        SELECT s.run_id, a.number AS attempt, x.behavior, x.tag, x.count AS points, x.first_step, x.last_step,
               x.first_time, x.last_time, x.last_value, x.min_value, x.max_value
        FROM training_series x
        JOIN training_attempt a ON a.id = x.attempt_id
        JOIN training_trainingsession s ON s.id = a.session_id""",
}


def drop(using: str) -> None:
    """Remove the views from a database."""
    with connections[using].cursor() as cursor:
        for name in VIEWS:
            cursor.execute(f"DROP VIEW IF EXISTS {name}")


def create(using: str) -> None:
    """Make the views in a database, in place of those of another version."""
    drop(using)
    with connections[using].cursor() as cursor:
        for name, query in VIEWS.items():
            cursor.execute(f"CREATE VIEW {name} AS {query}")


def before_migrations(using: str, plan: list[Any], **_: Any) -> None:
    """Make way for migrations, if there are any."""
    if plan and router.allow_migrate(using, APP):
        drop(using)


def after_migrations(using: str, plan: list[Any] | None = None, **_: Any) -> None:
    """Make the views once all tables are as this version has them; a flush, which has no plan, leaves them alone."""
    if plan is None or not router.allow_migrate(using, APP):
        return
    from django.db.migrations.executor import MigrationExecutor  # which every process would load

    executor = MigrationExecutor(connections[using])
    if not executor.migration_plan(executor.loader.graph.leaf_nodes(APP)):
        create(using)

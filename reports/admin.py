from django.contrib import admin

from reports.models import Report
from sessions.admin import ReadOnly


@admin.register(Report)
class ReportAdmin(ReadOnly):
    list_display = ("title", "session", "size", "made_at")
    search_fields = ("title", "session__run_id")

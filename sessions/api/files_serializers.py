"""The shapes of files and Unity's logs."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from sessions.selectors.console import MAX_BYTES
from sessions.selectors.run_files import KINDS, MOST_FILES


class FileSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="Good as long as the file lies where it does.")
    name = serializers.CharField(help_text="Where it lies: below results/ or attempts/N/.")
    kind = serializers.ChoiceField(choices=KINDS)
    size = serializers.IntegerField()
    modified_at = serializers.DateTimeField()
    url = serializers.CharField()


class FileListSerializer(serializers.Serializer[Any]):
    results = FileSerializer(many=True)
    complete = serializers.BooleanField(help_text=f"False when there are more than {MOST_FILES:,} files.")


class PlayerLogQuerySerializer(serializers.Serializer[Any]):
    worker = serializers.IntegerField(required=False, min_value=0, max_value=9999, allow_null=True, default=None)
    after = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=2**62,
        allow_null=True,
        default=None,
        help_text="Offset in bytes; without one, the end of the log.",
    )
    limit = serializers.IntegerField(required=False, default=65536, min_value=1, max_value=MAX_BYTES)


class PlayerLogSerializer(serializers.Serializer[Any]):
    attempt = serializers.IntegerField()
    workers = serializers.ListField(child=serializers.IntegerField())
    worker = serializers.IntegerField(allow_null=True)
    offset = serializers.IntegerField()
    next_offset = serializers.IntegerField()
    text = serializers.CharField(allow_blank=True)
    ended = serializers.BooleanField()

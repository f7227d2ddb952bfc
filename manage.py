#!/usr/bin/env python
"""MENTOR's one entrance: `python manage.py --help` lists what it does."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mentor_site.settings")
    from django.core.management import execute_from_command_line

    try:
        try:
            execute_from_command_line(sys.argv)
        finally:
            sys.stdout.flush()  # that nobody reads on is told here, and not after the end
    except Exception as error:
        if "--traceback" in sys.argv:
            raise
        from mentor_site.last_words import last_words, nobody_reads_on

        sys.exit(1 if nobody_reads_on(error) else last_words(error))


if __name__ == "__main__":
    main()

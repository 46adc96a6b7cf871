"""Tables, and one queue that anybody may submit to."""

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from helpdesk.models import Queue  # noqa: E402

call_command("migrate", verbosity=0)
Queue.objects.get_or_create(slug="city", defaults={"title": "city", "allow_public_submission": True})

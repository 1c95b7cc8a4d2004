"""What the local cloud says in its own words, since it stands without the function."""

from function.model import request
from local.api import names


def test_ids_have_the_form_that_the_function_takes() -> None:
    """An id or region that one of them takes, the other takes too."""
    assert names.INSTANCE_ID.pattern == request.INSTANCE_ID.pattern
    assert names.REGION_ID.pattern == request.REGION_ID.pattern

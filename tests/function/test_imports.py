"""What the pure parts of the function load: nothing that leads outside."""

import subprocess
import sys
from pathlib import Path

import pytest

from function import guard, stopping

OUTSIDE = ("Tea", "alibabacloud_", "darabonba", "function.cloud", "http.client", "requests", "ssl", "urllib3")
LOADED = "import sys; import {}; print(*sys.modules)"


def modules(package: object) -> list[str]:
    """Name the modules of a package."""
    (folder,) = map(Path, package.__path__)  # type: ignore[attr-defined]  # a package has one
    return [f"function.{folder.name}.{one.stem}" for one in folder.glob("*.py") if one.stem != "__init__"]


@pytest.mark.parametrize("package", [guard, stopping])
def test_deciding_loads_no_sdk(package: object) -> None:
    """Importing the guard, or all that stops, loads neither the SDK nor an HTTP library."""
    names = modules(package)
    assert names
    code = LOADED.format(", ".join(names))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert set(names) <= set(loaded)
    assert [name for name in loaded if name.startswith(OUTSIDE)] == []


def test_garbage_is_collected_after_the_start() -> None:
    """No garbage is looked for while the function is imported; afterwards it is, but not among modules."""
    code = "import gc, function.index; print(gc.isenabled(), gc.get_freeze_count() > 10_000)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"

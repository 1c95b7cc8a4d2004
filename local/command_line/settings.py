"""The settings that a run on this machine has: those of its environment, or those of a template."""

import os

from function.settings import Settings


def machine_settings() -> dict[str, str]:
    """Give the settings of this machine's environment."""
    return {name: value for name, value in os.environ.items() if name in Settings.variables()}

"""Where StopCharging can apply."""

from function.model.instance import FAMILIES_WITH_PERSISTENT_MEMORY, Instance, LocalDisks


def economical_obstacle(instance: Instance, local_disks: LocalDisks) -> str | None:
    """Say why StopCharging can't apply. Preemptible instances are not foreseen here: the sources disagree."""
    if instance.instance_charge_type != "PostPaid":
        return "StopCharging can't apply to a subscription instance"
    if instance.instance_network_type != "vpc":
        return "StopCharging can't apply to an instance in the classic network"
    if local_disks is not LocalDisks.NO:
        return "StopCharging can't apply to an instance that has local disks, or may have"
    if instance.family in FAMILIES_WITH_PERSISTENT_MEMORY:
        return "StopCharging can't apply to an instance with persistent memory"
    return None

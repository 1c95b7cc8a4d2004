"""What is known of an instance's local disks: by its own fields, its type, and its type's family."""

from simulation.case import Case, Look, heard_before
from simulation.recording import RecordedStop

TYPES_WITH_DISKS_BY_FAMILY = frozenset({"ecs.i2.xlarge", "ecs.re6p.large"})
"""Of the types that simulated instances have, those whose family is known for its local disks."""

_DENIALS = ("Forbidden", "NoPermission", "InvalidAccessKeyId", "InvalidSecurityToken", "InvalidTimeStamp")


def has_disks(case: Case, look: Look, before: RecordedStop | None) -> bool | None:
    """Whether there are local disks, by what was known before a call, or at the end; None: unknown.

    That there are none is not believed of a type whose family is known for them.
    """
    said = _disks_said(case, look, before)
    known = look.attributes["InstanceType"] in TYPES_WITH_DISKS_BY_FAMILY
    return None if said is False and known else said


def _disks_said(case: Case, look: Look, before: RecordedStop | None) -> bool | None:
    attributes = look.attributes
    fields = [attributes.get(key) for key in ("LocalStorageAmount", "LocalStorageCapacity")]
    if any(field is not None for field in fields):
        return any(fields)
    denied = False
    for call in case.recording.calls:
        if call.action != "DescribeInstanceTypes" or (before and not heard_before(call, before)):
            continue
        by = case.recording.invocations[call.invocation]
        if by.host != case.invocation.host or (call.heard_step or 0) > (
            by.ended_step or case.recording.steps
        ):
            continue
        if call.heard == "":
            for kind in call.body["InstanceTypes"]["InstanceType"]:
                if kind["InstanceTypeId"] == attributes["InstanceType"]:
                    return bool(kind.get("LocalStorageAmount"))
        denied |= (
            by is case.invocation
            and str(call.heard).startswith(_DENIALS)
            and attributes["InstanceType"] in call.parameters.values()
        )
    return attributes["InstanceType"] in TYPES_WITH_DISKS_BY_FAMILY if denied else None

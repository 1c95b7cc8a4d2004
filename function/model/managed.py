"""The services that manage ECS instances for people, and the tags by which they mark them.

Only those that replace, repair or release an instance which somebody else stops. Tags that merely say who
made it (acs:ros:stackId, acs:computenest:serviceInstanceId) are not here, nor services that document no tag
(E-HPC, auto provisioning groups).
"""

from collections.abc import Mapping
from types import MappingProxyType

from function.model.frozen import frozen


@frozen
class ManagingService:
    """Who manages the instance, with the kind of group that the tag's value names, and what to do instead."""

    name: str
    instead: str


_SCALE_POOL = "scale the node pool, or take the node out of it"

MANAGING_SERVICES: Mapping[str, ManagingService] = MappingProxyType(
    {
        # ACK help, "Create and manage node pools", ECS Tags: both keys on each node it adds. "Managed node
        # pools": a node that is not ready is repaired. First, since a node pool rests on a scaling group.
        "ack.alibabacloud.com/nodepool-id": ManagingService("ACK, node pool", _SCALE_POOL),
        "ack.aliyun.com": ManagingService("ACK, cluster", _SCALE_POOL),
        # EMR help, "Manage tags": a system tag on each instance of a cluster.
        "acs:emr:clusterId": ManagingService("E-MapReduce, cluster", "scale the cluster, or release it"),
        # karpenter-provider-alibabacloud, getTags in pkg/providers/instance/instance.go; its cloudprovider.go
        # takes a stopping or stopped instance for one that is being deleted.
        "karpenter.sh/nodepool": ManagingService("Karpenter, node pool", _SCALE_POOL),
        # ACK help, "Create and manage node pools": on each node of a pool with auto scaling.
        "k8s.io/cluster-autoscaler": ManagingService("a cluster autoscaler", _SCALE_POOL),
        # ESS help, "ECS instance lifecycle": a member that is not Running is unhealthy and removed, and where
        # the group made it released. The tag: DescribeInstances' sample, and ACK's page above.
        "acs:autoscaling:scalingGroupId": ManagingService(
            "Auto Scaling, scaling group", "scale the group, put the member into standby, or take it out"
        ),
    }
)
"""By tag key. Where an instance carries several, the first one says best who has to be asked."""

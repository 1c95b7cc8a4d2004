"""The APIs that the local cloud speaks: the names of their actions, and their versions."""

import re

ECS_VERSION = "2014-05-26"
STS_VERSION = "2015-04-01"
FC_VERSION = "2023-03-30"
"""With it all paths of FC's API begin."""

ASSUME_ROLE = "AssumeRole"
GET_CALLER_IDENTITY = "GetCallerIdentity"
STS_ACTIONS = (ASSUME_ROLE, GET_CALLER_IDENTITY)
INVOKE_FUNCTION = "InvokeFunction"

INSTANCE_ID = re.compile(r"i-[0-9A-Za-z][0-9A-Za-z-]{0,62}")
REGION_ID = re.compile(r"[a-z]{2,}(-[a-z0-9]+)+")

"""Serve the policies to the engine; see docs/how-to/rules.md."""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, PolicyPack

from cbr_policies import POLICIES

PolicyPack("huaweicloud-cbr", list(POLICIES), EnforcementLevel.MANDATORY)

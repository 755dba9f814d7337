"""How old copies are, and what their ages can prove. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pulumi_huaweicloud_cbr.base.moments import UNKNOWN, moment
from pulumi_huaweicloud_cbr.commands.report.model import CopyLook

Age = int | None
"""Seconds; None if nobody knows."""

_SKEW_S = 900
"""Times may be so far ahead of this machine's clock: signed requests are refused beyond that (API
Gateway, signing guide). A choice of ours for other credentials."""


class Ages:
    """Ages at one moment; times that cannot be true are remembered for a remark."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._future: set[str] = set()

    def of(self, made_at: str | None) -> Age:
        """Return an age in seconds; None if it is not known.

        This machine's clock may be a little behind the service's. A time that is further ahead
        tells no age: taken for new, it would meet each objective.
        """
        made = moment(made_at)
        if made == UNKNOWN:
            return None
        age_s = int((self._now - made).total_seconds())
        if age_s < -_SKEW_S:
            self._future.add(str(made_at))
            return None
        return max(0, age_s)

    def remarks(self) -> Iterator[str]:
        """Yield what to say of times that are ahead of this machine's clock."""
        if self._future:
            yield (
                f"ages: CBR tells times that are later than this machine's clock, such as "
                f"{max(self._future)}; correct the clock if it is behind"
            )


def is_young(copy: CopyLook, rpo_s: int) -> bool:
    """Whether a copy is certainly not too old."""
    return not copy.is_time_of_copy and copy.age_s is not None and copy.age_s <= rpo_s


def may_be_young(copy: CopyLook, rpo_s: int) -> bool:
    """Whether a copy may be young enough, but nobody knows when its backup was made."""
    if copy.age_s is None:
        return True
    return copy.is_time_of_copy and copy.age_s <= rpo_s

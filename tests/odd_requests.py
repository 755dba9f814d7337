"""Generated requests that are hard to sign: odd paths, CJK, empty and repeated values, bodies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from hypothesis import strategies as st

HOST = "cbr.cn-north-4.myhuaweicloud.com"
ACCESS_KEY, SECRET_KEY = "DEMOACCESSKEY0000001", "not-a-secret-demo-key"

_TEXT = st.one_of(
    st.text(alphabet="aZ09-_.~ +&=%/;:,@!$'()*?#[]\"\\|<>", max_size=8),
    st.text(alphabet="备份恢复サーバー데이터é€😀", max_size=5),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6),
    st.sampled_from(["", "%2F", "%25", "a+b", "a b", "true", "0"]),
)
# Every client removes a dot segment from the URL before it sends anything.
_SEGMENT = _TEXT.filter(lambda text: text not in (".", ".."))
_VALUE: st.SearchStrategy[Any] = st.one_of(
    _TEXT, st.integers(-5, 5000), st.booleans(), st.lists(_TEXT, max_size=4)
)


@dataclass(frozen=True)
class OddRequest:
    """A request as a program would make it."""

    method: str
    segments: tuple[str, ...]
    params: dict[str, Any]
    body: Any
    project_id: str | None
    security_token: str | None

    @property
    def path(self) -> str:
        """The path, encoded segment by segment."""
        return "/v3/" + "/".join(quote(segment, safe="") for segment in self.segments)

    def vendor_signed(self, date: str, content: bytes) -> SdkRequest:
        """Return the request as the vendor's SDK signs it."""
        headers = {"X-Sdk-Date": date, "Host": HOST}
        if content:
            headers["Content-Type"] = "application/json"
        credentials = BasicCredentials(ACCESS_KEY, SECRET_KEY, self.project_id)
        credentials.security_token = self.security_token
        # The SDK sorts lists in place.
        params = [(name, _copied(value)) for name, value in self.params.items()]
        request = SdkRequest(self.method, "https", HOST, self.path, None, params, headers, content)
        signed: SdkRequest = credentials.sign_request(request)
        return signed


odd_requests: st.SearchStrategy[OddRequest] = st.builds(
    OddRequest,
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE"]),
    segments=st.lists(_SEGMENT, max_size=4).map(tuple),
    params=st.dictionaries(_TEXT, _VALUE, max_size=4),
    body=st.one_of(st.none(), st.dictionaries(_TEXT, _TEXT, max_size=3)),
    project_id=st.sampled_from([None, "c6cb0876eaee4f5092d0fdf4c4fc09b3"]),
    security_token=st.sampled_from([None, "not-a-secret/+=token"]),
)


def content_of(request: OddRequest) -> bytes:
    """Return the body as bytes."""
    return b"" if request.body is None else json.dumps(request.body, ensure_ascii=False).encode()


def _copied(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value

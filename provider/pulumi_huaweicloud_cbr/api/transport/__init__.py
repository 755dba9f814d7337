"""How requests travel: connections, proxies, TLS, retries and the rate limiter.

What a request says does not belong here, nor what its answer means: that is `api.wire`.
Credentials are in `api.auth`. Only this folder knows the HTTP library.
"""

"""How requests are sent: connections, proxies, TLS, retries and the rate limiter.

What a request or a response means does not belong here: `api.wire` knows that. Credentials are in
`api.auth`. Only this folder knows the HTTP library.
"""

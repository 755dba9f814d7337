"""Commands for pipelines: preview, up, drift and recover, and the comment on a pull request.

They run Pulumi and say what it would do with replicas. What a resource does, and what preflight
asks, does not belong here; nor does posting a comment, which a pipeline does.
"""

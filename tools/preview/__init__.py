"""Helpers of `make preview` besides Pulumi's preview: a project without secrets, and the comment.

Both modules are scripts, run by path: they import nothing of the repository. The comment's module
imports only the standard library. Posting the comment does not belong here: a workflow does that.
"""

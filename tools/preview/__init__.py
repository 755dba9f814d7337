"""What `make preview` needs around Pulumi's preview: a project without secrets, and the comment.

Both modules are scripts, run by path: they import nothing of the repository, and what writes the
comment imports the standard library alone. Posting the comment does not belong here:
a workflow does that.
"""

"""A plugin host for dynamic resources: what the SDK's own plugin does, and what it lacks.

`Pulumi.yaml` may name another executable for the plugin ``pulumi-python``. This one serves every
dynamic resource of a project, with the same state format. It serves as many calls at once as the
engine makes. It adds `import`, detailed diffs, errors without a prefix or a traceback, and waits
that end when the user interrupts.

What a resource does in a call does not belong here. Resources also work without this host; they
only lose these features.
"""

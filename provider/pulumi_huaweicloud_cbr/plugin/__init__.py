"""A plugin host for dynamic resources: what the SDK's own plugin does, and what it leaves out.

`Pulumi.yaml` may name another executable for the plugin ``pulumi-python``. This one serves every
dynamic resource of a project, with the same state format. It adds as many calls at once as the
engine makes, `import`, detailed diffs, errors without a prefix or a traceback, and waits that end
when the user interrupts. Resources work without it; they only lose these features.
"""

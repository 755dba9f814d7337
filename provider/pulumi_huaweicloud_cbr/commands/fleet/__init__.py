"""``fleet``: many stacks of one project, run side by side by Pulumi's Automation API.

When to run it is not decided here: a schedule, a pipeline or an operator starts it.
"""

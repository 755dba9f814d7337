"""What commands share: options, help, exit codes, the Pulumi CLI, a stack, texts and JSON.

What only one command needs does not belong here, nor does a decision about copies.
"""

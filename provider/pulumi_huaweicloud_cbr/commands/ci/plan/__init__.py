"""What a preview would do with replicas, read from its JSON: plain data, no words, no Pulumi.

All values are of programs, configurations and the API, and a fork may have written the JSON. So
each is taken as it comes, and a value of a wrong kind counts as none. How a value is shown does not
belong here.
"""

"""The Pulumi-aware part: resources, their providers and the functions for programs."""

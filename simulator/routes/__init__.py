"""The routes of IAM and CBR, one module for each service."""

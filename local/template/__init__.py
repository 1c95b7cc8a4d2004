"""`template.yml` as Serverless Devs and Function Compute take it, and what in it is not what it seems."""

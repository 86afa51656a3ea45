"""Folder that `--upstream` puts on PYTHONPATH, so that every process of the run starts with its `sitecustomize`."""

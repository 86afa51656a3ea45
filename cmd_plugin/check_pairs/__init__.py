"""`python -m cmd_plugin check-pairs`: pairs that are misaligned, swapped, blank, duplicated or tested."""

"""What the trackers share that learn a target classifier online and refine boxes by predicted IoU."""

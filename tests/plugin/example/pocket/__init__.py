"""A Siamese tracker that fits into a pocket: one vector stands for the target, and is looked for in the next frame."""

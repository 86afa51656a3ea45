"""What KYS knows of a target's surroundings: states of the scene, carried from frame to frame."""

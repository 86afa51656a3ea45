"""KYS (Bhat et al., "Know Your Surroundings: Exploiting Scene Information for Object Tracking", ECCV 2020)."""

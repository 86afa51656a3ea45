"""ToMP (Mayer et al., "Transforming Model Prediction for Tracking", CVPR 2022)."""

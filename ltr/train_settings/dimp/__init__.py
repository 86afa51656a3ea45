"""DiMP (Bhat et al., "Learning Discriminative Model Prediction for Tracking", ICCV 2019)."""

"""Cross-modal distillation (CMD) for two-branch trackers: unlabelled RGB-TIR pairs teach a thermal tracker."""

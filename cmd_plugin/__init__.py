"""Cross-modal distillation (CMD): unlabelled RGB-TIR pairs teach a two-branch tracker thermal infrared."""

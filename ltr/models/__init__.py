"""Networks: backbones, target classifier, IoU predictor, and the trackers made of them."""

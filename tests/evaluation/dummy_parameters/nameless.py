step = 0.0

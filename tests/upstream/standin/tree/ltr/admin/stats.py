"""Running figures of a training."""


class StatValue:
    def __init__(self):
        self.val = 0
        self.history = []

    def reset(self):
        self.val = 0

    def push_history(self):
        self.history.append(self.val)
        self.reset()

    def update(self, val):
        self.val = val
        self.avg = self.val


class AverageMeter:
    def __init__(self):
        self.history = []
        self.reset()

    def reset(self):
        self.val = self.avg = self.sum = self.count = 0

    def update(self, val, n=1):
        self.val = val
        self.sum += val * n
        self.count += n
        self.avg = self.sum / self.count

    def new_epoch(self):
        self.history.append(self.avg)
        self.reset()

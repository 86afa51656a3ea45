"""The loader of batches; with the names of an old Python."""

import collections

import torch
import torch.utils.data

from pytracking import TensorDict


def collate(samples, axis):
    first = samples[0]
    if isinstance(first, torch.Tensor):
        return torch.stack(samples, min(axis, first.dim()))
    if isinstance(first, (int, float)):
        return torch.tensor(samples)
    if isinstance(first, collections.Mapping):
        return TensorDict({key: collate([sample[key] for sample in samples], axis) for key in first})
    if isinstance(first, collections.Sequence) and not isinstance(first, str):
        return [collate(list(parts), axis) for parts in zip(*samples)]  # noqa: B905
    return samples


class LTRLoader(torch.utils.data.DataLoader):
    def __init__(self, name, dataset, training=True, batch_size=1, shuffle=False, sampler=None, batch_sampler=None,
                 num_workers=0, epoch_interval=1, collate_fn=None, stack_dim=0, pin_memory=False, drop_last=False,
                 timeout=0, worker_init_fn=None):
        if collate_fn is None:
            def collate_fn(samples):
                return collate(samples, stack_dim)
        super().__init__(dataset, batch_size, shuffle, sampler, batch_sampler, num_workers, collate_fn, pin_memory,
                         drop_last, timeout, worker_init_fn)
        self.name, self.training = name, training
        self.epoch_interval, self.stack_dim = epoch_interval, stack_dim

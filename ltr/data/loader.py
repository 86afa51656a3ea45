"""The loader of training batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from functools import partial
from typing import Any

import cv2
import numpy as np
import torch
import torch.utils.data
from torch import Tensor

from ltr.admin.errors import UserError
from ltr.data.draws import SeededSamples, SharedBatches, check_share
from ltr.tensors import TensorDict


class LTRLoader(torch.utils.data.DataLoader):
    """`DataLoader` that batches `TensorDict` samples and knows its name and its rhythm.

    What a sample draws from `random`, numpy and torch depends on its place in the epoch and the seed of
    `generator` (else one drawn from torch), however many workers there are. In a run of several processes each
    gets its share of every batch: `batch_size` is that of all together.

    Args:
        name: of the loader in statistics, such as 'train'.
        dataset: a sampler, or any map-style data set.
        training: whether the trainer learns from it or only evaluates.
        batch_size: samples a batch.
        shuffle: as for `DataLoader`, like all that are not named here.
        sampler: see above.
        batch_sampler: see above.
        num_workers: see above.
        epoch_interval: the trainer uses the loader every so many epochs.
        collate_fn: instead of `collate`.
        stack_dim: axis of the batch; 1 turns samples (frames, ...) into (frames, batch, ...).
        pin_memory: see above.
        drop_last: see above.
        timeout: see above.
        worker_init_fn: called in each worker with its number, after OpenCV's own threads are switched off
            there.

    A `UserError` of a worker comes out as the one line it was raised with.

    Raises:
        UserError: the processes of the run cannot share the batches equally.
    """

    def __init__(self, name: str, dataset: Any, training: bool = True, batch_size: int = 1,
                 shuffle: bool = False, sampler: Iterable[Any] | None = None,
                 batch_sampler: Iterable[Any] | None = None, num_workers: int = 0, epoch_interval: int = 1,
                 collate_fn: Callable[[list[Any]], Any] | None = None, stack_dim: int = 0,
                 pin_memory: bool = False, drop_last: bool = False, timeout: float = 0,
                 worker_init_fn: Callable[[int], None] | None = None) -> None:
        super().__init__(
            SeededSamples(dataset), batch_size, shuffle, sampler, batch_sampler, num_workers,
            collate_fn=collate_fn or partial(collate, stack_dim=stack_dim), pin_memory=pin_memory,
            drop_last=drop_last, timeout=timeout, worker_init_fn=partial(_init_worker, then=worker_init_fn))
        self.name, self.training = name, training
        self.epoch_interval, self.stack_dim = epoch_interval, stack_dim
        if batch_sampler is None:
            check_share(name, batch_size)
            if not drop_last and isinstance(self.sampler, Sized):
                check_share(name, len(self.sampler) % batch_size)

    @property
    def _index_sampler(self) -> Any:
        """What `DataLoader` takes its indices from."""
        return SharedBatches(super()._index_sampler, self.generator, self.name)

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        try:
            yield from super().__iter__()
        except UserError as error:
            # A worker's exception arrives with its trace-back as message; its last line is the error itself.
            told = str(error.args[0])  # as it is: `str` shows line breaks as escapes
            last = told.rstrip().splitlines()[-1]
            raise UserError(last.split('Error: ', 1)[-1] if 'Traceback' in told else last) from None


def collate(samples: Sequence[Any], stack_dim: int = 0) -> Any:
    """Batch a list of equal structures.

    Tensors and numpy arrays are stacked along `stack_dim` (at most their number of axes), numbers become a
    tensor (batch,), mappings become a `TensorDict` of batched values, lists and tuples of equal length a list
    of batched elements; anything else (names, None, lists of unequal length) a list with one entry a sample.

    Args:
        samples: one structure a sample.
        stack_dim: axis of the batch.
    """
    first = samples[0]
    if isinstance(first, np.ndarray):
        return collate([torch.from_numpy(sample) for sample in samples], stack_dim)
    if isinstance(first, Tensor):
        return torch.stack(list(samples), dim=min(stack_dim, first.dim()))
    if isinstance(first, Mapping):
        return TensorDict((key, collate([sample[key] for sample in samples], stack_dim)) for key in first)
    if isinstance(first, (bool, int, float)):
        return torch.tensor(samples)
    if isinstance(first, (list, tuple)) and len({len(sample) for sample in samples}) == 1:
        return [collate(items, stack_dim) for items in zip(*samples, strict=True)]
    return list(samples)


def _init_worker(worker_id: int, then: Callable[[int], None] | None) -> None:
    # OpenCV's thread pool does not survive a fork, and workers share the cores anyway.
    cv2.setNumThreads(0)
    if then is not None:
        then(worker_id)
